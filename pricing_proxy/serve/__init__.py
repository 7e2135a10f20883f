"""Composition: the one room that builds the service; `application` says in which order."""
