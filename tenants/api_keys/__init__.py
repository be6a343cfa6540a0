"""API keys: an account's programs act with the permissions of a key."""
