"""Telling somebody who tried too often how long to wait."""

from flask import Response, make_response
from flask.typing import ResponseReturnValue

from idp.sign_in.outcomes import Throttled
from kernel.i18n import _, ngettext


def minutes_of(throttled: Throttled) -> int:
    """How long nothing more is accepted, in minutes that have begun."""
    return -(-throttled.retry_after // 60)


def told_to_wait(throttled: Throttled) -> str:
    """How long nothing more is accepted, and what helps besides waiting."""
    if throttled.for_good:
        return str(_("There were too many wrong tries. Set a new password to go on."))
    return str(
        ngettext(
            "Too many wrong tries. Try again in %(num)d minute, or set a new password.",
            "Too many wrong tries. Try again in %(num)d minutes, or set a new password.",
            minutes_of(throttled),
        )
    )


def too_many(page: ResponseReturnValue, throttled: Throttled) -> Response:
    """A page that says how long to wait, and a header that does."""
    response = make_response(page, 429)
    response.headers["Retry-After"] = str(throttled.retry_after)
    return response
