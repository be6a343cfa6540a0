"""Which context a request leads to, as far as that can be said without reading anything. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from idp.clients.service import IN_COMPANY, NO_CONTEXT
from idp.protocol import acr
from idp.protocol.acr import Wanted
from tenants.standing import scope
from tenants.standing.service import Standing

CONTEXT_ANSWER = "context_answer"
"""What a flow notes beside the request: which context the person chose."""
REFUSED = "refused"


_ACCOUNT = re.compile("[0-9a-f]{12}")
_COMPANY = re.compile("[0-9a-f]{16}")


def is_account(text: str) -> bool:
    """Whether this has the form of an account's id.

    >>> is_account("0123456789ab"), is_account("0123456789AB"), is_account("0123456789ab\\n")
    (True, False, False)
    """
    return _ACCOUNT.fullmatch(text) is not None


def is_company(text: str) -> bool:
    """Whether this has the form of a company's key.

    >>> is_company("0123456789abcdef"), is_company("0123456789ab")
    (True, False)
    """
    return _COMPANY.fullmatch(text) is not None


@dataclass(frozen=True)
class Asked:
    """Which context a request names, and which one the person chose where it leaves that open."""

    account: str | None = None
    company: str | None = None
    chosen_account: str | None = None
    chosen_company: str | None = None
    silently: bool = False
    """Nobody can be asked anything: `prompt=none`."""

    def is_needed_for(self, context: str) -> bool:
        """Whether a sign-in to such an application is in a context at all."""
        return self.account is not None or context != NO_CONTEXT


@dataclass(frozen=True)
class Resolved:
    """What a request leads to: a context, a question, a refusal, or neither."""

    standing: Standing | None = None
    company: str | None = None
    has_to_be_chosen: bool = False
    why_refused: str | None = None

    @property
    def account(self) -> str | None:
        return self.standing.account if self.standing is not None else None

    @property
    def company_name(self) -> str | None:
        """What the company is called, where the context is one."""
        return self.standing.company_name if self.standing is not None and self.company else None

    def strengthened(self, wanted: Wanted) -> Wanted:
        """What the sign-in has to be like in this context: as the account and its roles ask (ID-6)."""
        if self.standing is None:
            return wanted
        return as_strong_as(wanted, self.standing, self.company)


NOWHERE = Resolved()


def asked_in(flow_request: Mapping[str, Any]) -> Asked:
    """What is asked, from what a flow keeps of its request."""
    answer = flow_request.get(CONTEXT_ANSWER)
    chosen = answer if isinstance(answer, dict) else {}
    return Asked(
        account=flow_request.get("account"),
        company=flow_request.get("company"),
        chosen_account=chosen.get("account"),
        chosen_company=chosen.get("company"),
    )


def as_strong_as(wanted: Wanted, standing: Standing, company: str | None) -> Wanted:
    """The stricter of what is wanted and what the account allows."""
    if scope.asks_for_strong(standing, company):
        wanted = replace(wanted, acr=(acr.TWO_FACTOR,))
    if standing.signed_out_at is not None:
        wanted = replace(wanted, after=standing.signed_out_at)
    if standing.sign_in_hours is not None:
        oldest = int(timedelta(hours=standing.sign_in_hours).total_seconds())
        given = wanted.max_age
        wanted = replace(wanted, max_age=oldest if given is None else min(given, oldest))
    return wanted


def lacks_company(context: str, company: str | None) -> bool:
    """Whether an application of this kind still needs to be told a company."""
    return context == IN_COMPANY and company is None
