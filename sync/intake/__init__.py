"""Hears from the shop that something changed; believes nothing of it but where to look."""
