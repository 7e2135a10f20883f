"""Order status: slips, parcels and what is shipped of them."""
