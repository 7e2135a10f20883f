"""`make chaos`: workers and databases die under load, and a judge compares both systems."""
