"""The identity program as an application sees it: what it publishes, and its token endpoint.

Start at `published.Provider`; `token_endpoint` speaks for the application, `client_assertion` proves
that it is the one.
"""
