"""The configuration file and the environment, read once and checked as a whole."""
