"""Where prices are kept: in this process (L1) and in Redis (L2)."""
