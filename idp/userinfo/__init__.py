"""The userinfo endpoint: what a token lets an application know of a person. Start at `views`."""
