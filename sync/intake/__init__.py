"""Hears from shop and ERP that something changed; believes nothing but where to look."""
