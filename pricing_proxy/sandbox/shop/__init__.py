"""Simulated Magento 2.4.7: orders, customers and products by REST, quirks included."""
