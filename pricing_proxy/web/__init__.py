"""HTTP in: routes, validation, access, errors as status codes."""
