"""The command `pricing-proxy explain`: ask the running service why it answers as it does."""
