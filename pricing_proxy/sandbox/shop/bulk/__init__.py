"""The shop's asynchronous bulks: what is posted, one consumer, and what became of it."""
