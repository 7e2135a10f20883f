"""The price service as the sync asks it: what the shop's customers are told beside the catalog."""
