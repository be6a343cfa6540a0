"""Versions of a thing as HTTP has them: `ETag` in answers, `If-Match` in changes (RFC 9110)."""

import re

from kernel.api.problems import BadVersion, VersionMissing

_ETAG = re.compile(r'"([1-9][0-9]{0,8})"', re.ASCII)


def etag(version: int) -> str:
    """The version as an answer names it.

    >>> etag(3)
    '"3"'
    """
    return f'"{version}"'


def expected(if_match: str | None) -> int:
    """The version that is to be changed; raises VersionMissing, BadVersion.

    >>> expected('"3"')
    3
    """
    if if_match is None:
        raise VersionMissing
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise BadVersion("not one of our ETags")
    return int(found[1])
