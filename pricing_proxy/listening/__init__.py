"""Listens: addresses, connections, how many there may be, and under which names."""
