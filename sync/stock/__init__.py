"""Stock: what the ERP has on hand becomes the quantities of the shop's sources."""
