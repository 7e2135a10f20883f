"""Calls to another system that may be slow, throttled or away; knows no vendor."""
