"""Prices by the trade agreements of Dynamics 365 Finance & Operations."""
