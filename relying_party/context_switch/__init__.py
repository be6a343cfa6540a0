"""Choosing the account to work in: the switch on every page, the page behind it. Start at `views`."""
