"""Going on to another origin after a form post.

Chromium refuses POST → 303 → another origin under `form-action 'self'`, also when a listed origin
redirects on. So such a chain ends with a page of ours, status 200, that sends the browser on: by a
script, without scripts by a refresh, and by a link that anybody can follow.
"""

import re
from collections.abc import Sequence

from flask import Response, make_response, render_template

from kernel.web.policy import allow_form_action, no_referrer
from kernel.web.printed import fill_in

_NEVER = re.compile(r"(?:javascript|data|vbscript|blob|file|about):", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*:[^\x00-\x20\x7f]+", re.IGNORECASE)


def forward(url: str) -> Response:
    """A page that sends the browser on to an absolute, already checked address."""
    _refuse_unsafe(url)
    return make_response(fill_in("kernel/forward.html", {"url": url}, dict))


def forward_form(url: str, fields: Sequence[tuple[str, str]]) -> Response:
    """A page that posts fields to another origin (OpenID Connect's form_post)."""
    _refuse_unsafe(url)
    no_referrer()
    allow_form_action(url)
    return make_response(render_template("kernel/forward_form.html", url=url, fields=fields))


def _refuse_unsafe(url: str) -> None:
    if not _ABSOLUTE.fullmatch(url) or _NEVER.match(url):
        raise ValueError("not an address that a browser may be sent to")
