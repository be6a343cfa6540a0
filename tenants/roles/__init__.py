"""Roles: an account's own sets of permissions, and what their holders may pass on."""
