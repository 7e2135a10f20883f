"""Dynamics 365 Finance & Operations: its client and its wire models."""
