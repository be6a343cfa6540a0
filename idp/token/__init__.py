"""The token endpoint: trades a grant for tokens (RFC 6749 §3.2). Start at `views.exchange`.

`server` is Authlib's skeleton with our rules in it, one module here a grant. `mint` makes tokens.
"""
