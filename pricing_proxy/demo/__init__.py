"""`make demo`: the simulated systems and the real programs, wired together and shown working."""
