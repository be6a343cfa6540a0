"""Signing in with the identity program: the authorization code flow with PKCE.

Start at `views`; `service` remembers an attempt, sends the browser off and takes it back.
"""
