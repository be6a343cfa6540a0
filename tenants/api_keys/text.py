"""How a key is written: `kl_<account>_<secret>`, so that it says whose it is and can be searched for."""

import re
from typing import NamedTuple

from kernel.crypto import new_token

PREFIX = "kl"
_HINT = 4
_WRITTEN = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")


class Written(NamedTuple):
    """A key as its owner holds it."""

    account: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}_{self.account}_{self.secret}"

    @property
    def hint(self) -> str:
        """The last characters, by which people tell their keys apart."""
        return self.secret[-_HINT:]


def make(account: str) -> Written:
    """A new key with 256 random bits.

    >>> read(str(make("0123456789ab"))).account
    '0123456789ab'
    """
    return Written(account, new_token(256))


def read(text: str) -> Written | None:
    """What a text says that may be a key.

    >>> read("kl_0123456789ab_short") is None
    True
    """
    found = _WRITTEN.fullmatch(text)
    return Written(found[1], found[2]) if found else None
