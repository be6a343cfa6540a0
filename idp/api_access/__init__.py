"""Whose request to the API this is: the ways to prove it, each an authenticator of `tenants.api`."""
