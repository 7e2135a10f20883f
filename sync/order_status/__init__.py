"""Order status: what the ERP did with an order becomes shipments, parcels and comments."""
