"""`make bench`: what a price costs, beside a handler that does nothing."""
