"""The ways to get a price, one module each."""
