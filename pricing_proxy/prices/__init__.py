"""The use cases of the price service, and the Protocols they need from outside."""
