"""The mail server of a demonstration: takes every mail, sends none, and shows them all.

Start at `server.serve`. Mails stay in memory, the newest ones only.
"""

from klucznik.mail_catcher.server import MailCatcher, serve

__all__ = ["MailCatcher", "serve"]
