"""Calculate prices from trade agreements that were read before: no I/O, no clock.

One package per ERP, for each has rules of its own.
"""
