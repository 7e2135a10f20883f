"""Judge another system by some calls to it: what the checks of both programs share."""
