"""The person's own pages: profile, password, authenticator app, recovery codes, sessions.

`pages` holds what they share; each module of views is one page. Nothing here is for anybody else.
"""
