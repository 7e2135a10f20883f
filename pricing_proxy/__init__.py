"""The price service, and what it shares with the sync of documents."""
