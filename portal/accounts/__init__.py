"""Accounts of companies, for who makes one: whoever creates it is its first administrator. Start at `views`."""
