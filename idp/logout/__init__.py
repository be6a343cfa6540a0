"""Ending sessions, everywhere at once.

`end_sessions` is the one way in which a session ends: its tokens and codes end with it, and every
application that was entered is told. `views` is for people whom an application sends
(OpenID Connect RP-Initiated Logout), `backchannel` tells the applications.
"""

from idp.logout.service import end_sessions

__all__ = ["end_sessions"]
