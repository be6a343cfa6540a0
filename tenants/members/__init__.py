"""Memberships: who belongs to an account, as member or as client, and with which roles."""
