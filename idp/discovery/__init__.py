"""What the provider can do, for programs to read (OpenID Connect Discovery, RFC 8414)."""
