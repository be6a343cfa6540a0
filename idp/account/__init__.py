"""The person's own pages: profile, password, passkeys, app, recovery codes, sessions, history.

`pages` holds what they share; each module of views is one page. Nothing here is for anybody else.
"""
