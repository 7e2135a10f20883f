"""Returns: what the shop takes back becomes a return order in the ERP."""
