"""Commands that help to write a configuration: an example, what is wrong, a key."""
