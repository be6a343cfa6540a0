"""What a right is: one permission of one application. Pure."""

import re
from typing import NamedTuple

_NAME = re.compile(r"[a-z]+(-[a-z]+)*:[a-z]+(-[a-z]+)*")
_LONGEST = 64


class Right(NamedTuple):
    """One thing that one application lets people do."""

    application: str
    permission: str


def is_permission(name: str) -> bool:
    """Whether this is the form of a permission's name: what, and what is done with it.

    >>> is_permission("users:manage"), is_permission("users"), is_permission("Users:manage")
    (True, False, False)
    """
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None
