"""Stock of the simulated F&O: what is where, who wants it, and what happens to it."""
