"""Signing out: here, at the identity program, and when the identity program says so.

Start at `views`. `logout_token` holds the rules of OpenID Connect Back-Channel Logout.
"""
