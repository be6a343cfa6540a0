"""What an invitation's link carries: the account, for its walls have to be known first, and the token."""

import re
from dataclasses import dataclass
from typing import Self

from kernel.errors import Refused

_LINK = re.compile(r"([0-9a-f]{12})\.([\w-]{1,100})", re.ASCII)


class NotALink(Refused):
    """The text is no link of an invitation."""

    reason = "not_open"


@dataclass(frozen=True)
class Link:
    """The secret half and the other one."""

    account: str
    token: str

    def __str__(self) -> str:
        return f"{self.account}.{self.token}"

    @classmethod
    def read(cls, text: str) -> Self:
        """What stands in the address; raises NotALink.

        >>> Link.read("0123456789ab.the-token").account
        '0123456789ab'
        """
        found = _LINK.fullmatch(text)
        if found is None:
            raise NotALink("not made by us")
        return cls(found[1], found[2])
