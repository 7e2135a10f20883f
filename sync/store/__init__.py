"""What the sync knows: events, their journal, the entity map, and what operators did."""
