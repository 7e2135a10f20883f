"""What a price is and when it may be shown: pure values and rules, no I/O, no clock."""
