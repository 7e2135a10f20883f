"""The documents of the simulated F&O: sales orders, customers and returns, written by OData."""
