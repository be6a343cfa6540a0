"""Registered applications: what each may do, and how it proves that it is itself.

`service` registers and finds them, `authentication` checks their secrets and assertions.
"""
