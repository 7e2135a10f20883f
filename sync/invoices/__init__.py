"""Invoices and credit notes of the ERP become invoices and credit memos of the shop."""
