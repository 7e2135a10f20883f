"""The integration engineer's first step: what works, what does not, and what to do next."""
