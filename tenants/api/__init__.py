"""The REST API of accounts, companies, users and roles (TEN-16).

`gate` decides who gets in and where; each other module is about one kind of thing, and turns
what programs send into one call of a use case. Who a token or a key belongs to is found out above
(`callers.Authenticator`), and handed in.
"""
