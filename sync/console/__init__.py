"""What operators see of the sync and do to it: commands, and a page."""
