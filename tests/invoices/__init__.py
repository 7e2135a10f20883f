"""Invoices and credit notes on their way into the shop."""
