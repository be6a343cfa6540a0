"""Who is signed in to this application: rows on the server, an opaque secret in the cookie.

Start at `service.Sessions`.
"""
