"""The steps from an empty database to `tables`, run by `sync.store.schema`."""
