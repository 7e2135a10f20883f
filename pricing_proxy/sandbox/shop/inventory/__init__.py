"""The shop's multi-source inventory: sources, stocks, what lies where, and what is reserved."""
