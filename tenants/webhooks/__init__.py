"""Webhooks: an account's own programs hear what happened in it (TEN-16, Standard Webhooks).

`service` keeps the endpoints, `announcing` turns facts into `deliveries`, `sending` sends them.
"""
