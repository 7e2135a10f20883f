"""Commands that ask a running service's admin listener, or give it an order."""
