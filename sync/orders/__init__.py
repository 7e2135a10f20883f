"""Orders: from the shop to the ERP, exactly once."""
