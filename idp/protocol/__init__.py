"""The vocabulary of OAuth 2 and OpenID Connect: pure functions, no database, no web framework."""
