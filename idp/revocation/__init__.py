"""The revocation endpoint: a client gives back what it no longer needs (RFC 7009)."""
