"""What `d365-sync check` looks at: one module for each system; nothing here writes."""
