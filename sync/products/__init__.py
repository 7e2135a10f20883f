"""Products: what the ERP says of its items is shown by the shop, field by field."""
