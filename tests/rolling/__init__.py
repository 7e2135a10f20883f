"""Upgrades and restarts under load, as operators do them: `make rolling`."""
