"""Invitations to accounts, for whoever gets one: the mail, and the page that its link opens.

`letters` writes the mails and runs in the worker; `service` is what the page does. Nobody accepts by
registering, signing in or setting a password: only by the button (SECURITY 3.9).
"""
