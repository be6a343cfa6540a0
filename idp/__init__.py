"""The OpenID provider and the pages on which people sign in. Start at `app.create_app`."""
