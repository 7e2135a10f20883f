"""What both programs keep in Redis: keys, codecs, writers and readers."""
