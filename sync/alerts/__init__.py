"""Tell people what is wrong, again while it lasts, and when it is over."""
