"""Metrics, logs and traces, without secrets or customer data."""
