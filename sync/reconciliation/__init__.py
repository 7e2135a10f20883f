"""Compare the systems, and say why they differ."""
