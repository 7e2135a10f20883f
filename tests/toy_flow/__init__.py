"""A flow in a folder of its own, as a new one would be: it greets whoever placed an order."""
