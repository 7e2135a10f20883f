"""The engine: events carried over by flows, in order, with a journal, again until they are done."""
