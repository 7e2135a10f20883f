"""Simulated Entra ID and Finance & Operations over real HTTP, with faults on dials."""
