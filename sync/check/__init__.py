"""What `d365-sync check` looks at, by system; nothing here writes."""
