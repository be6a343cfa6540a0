"""Blocked IDs (ID-11): the operator stops a person everywhere, and accounts left without an admin show it."""
