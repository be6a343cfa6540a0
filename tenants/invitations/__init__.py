"""Invitations: a place in an account that waits for whoever proves the address."""
