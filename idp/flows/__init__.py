"""What is remembered between the pages of one sign-in, on the server. Start at `service`.

A flow belongs to one browser, lives a quarter of an hour, and is no session: all that it can do is
be carried on.
"""
