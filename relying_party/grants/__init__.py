"""The tokens that an application holds for a session: sealed, one per audience, renewed once.

Start at `service.Grants.access_token`; `api_client` spends the tokens.
"""
