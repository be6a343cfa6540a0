"""Applications and the permissions that they declare; which account has which application."""
