"""Put the sync together: `run` runs it, `application` opens the parts in their order."""
