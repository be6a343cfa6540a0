"""The introspection endpoint: is this token still good? (RFC 7662). Start at `views`."""
