"""Customers: from the shop to the ERP, matched before they are created."""
