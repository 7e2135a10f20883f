"""Rules that the code itself keeps: sizes, nothing dead, nothing private without a word on it."""
