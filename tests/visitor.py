"""Somebody at a keyboard, without a browser: follows redirects, fills in forms, keeps cookies.

For tests of other people's programs, where pages only have to be got through. What pages look like
and do is the business of the journeys, which drive a real browser.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import pyotp
import requests

from tests.installation import Mailbox

_MOST_HOPS = 20
Answer = str | Callable[[], str]


@dataclass
class Form:
    """A form of a page: where it goes, and what its fields hold."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """What the visitor has in front of them."""

    url: str
    status: int
    text: str
    headers: dict[str, str]
    forms: tuple[Form, ...]
    forward: str | None

    def form_with(self, *names: str) -> Form | None:
        """The first form that has all these fields."""
        return next((form for form in self.forms if set(names) <= set(form.fields)), None)


class Visitor:
    """One person with one browser. `stops` are beginnings of addresses that are not followed."""

    def __init__(self, *, stops: tuple[str, ...] = ()) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Accept-Language"] = "en"
        self._stops = stops

    def open(self, url: str) -> Page:
        """Go to an address, and on wherever redirects and forwarding pages lead."""
        return self._follow(self.http.get(url, allow_redirects=False, timeout=30))

    def wait_until(self, url: str, fits: Callable[[Page], bool]) -> Page:
        """Open an address again and again until what is there fits, for at most half a minute."""
        deadline = time.monotonic() + 30
        while not fits(page := self.open(url)):
            assert time.monotonic() < deadline, f"{page.url}: {page.text[:1000]}"
            time.sleep(0.2)
        return page

    def submit(self, page: Page, form: Form, **answers: str) -> Page:
        """Fill a form in and send it."""
        assert form.method == "post"
        reply = self.http.post(
            urljoin(page.url, form.action),
            data=form.fields | answers,
            headers={"Origin": _origin(page.url)},
            allow_redirects=False,
            timeout=30,
        )
        return self._follow(reply)

    def allow(self, page: Page) -> Page:
        """Say yes on the page of consent."""
        form = next((form for form in page.forms if "/consent" in form.action), None)
        assert form is not None, f"no question: {page.url}"
        return self.submit(page, form, answer="allow")

    def sign_in(
        self,
        page: Page,
        *,
        email: str,
        password: str,
        totp_secret: str | None = None,
        mailbox: Mailbox | None = None,
        remember: bool = False,
    ) -> Page:
        """Get through the pages of signing in, however many they are.

        `remember`: no code is asked for on this device the next time.
        """
        known: dict[str, Answer] = {
            "email": email,
            "password": password,
            "code": lambda: _code(email, totp_secret, mailbox),
        }
        for _ in range(6):
            form = next(
                (
                    form
                    for names in (("code",), ("password",), ("email",))
                    if (form := page.form_with(*names))
                ),
                None,
            )
            if form is None:
                return page
            given = {
                name: answer() if callable(answer) else answer
                for name, answer in known.items()
                if name in form.fields
            }
            if remember and "code" in given:
                given["remember"] = "y"
            page = self.submit(page, form, **given)
        raise AssertionError(f"signing in does not end: {page.url} {page.text[:2000]}")

    def _follow(self, reply: requests.Response) -> Page:
        for _ in range(_MOST_HOPS):
            page = _read(reply)
            if reply.is_redirect:
                target = urljoin(reply.url, reply.headers["Location"])
            elif page.forward is not None:
                target = urljoin(reply.url, page.forward)
            else:
                return page
            if target.startswith(self._stops):
                return Page(target, 0, "", {}, (), None)
            reply = self.http.get(target, allow_redirects=False, timeout=30)
        raise AssertionError(f"too many redirects, the last to {reply.url}")


def _code(email: str, totp_secret: str | None, mailbox: Mailbox | None) -> str:
    if totp_secret is not None:
        return pyotp.TOTP(totp_secret).now()
    assert mailbox is not None
    return mailbox.newest_code(email)


def _origin(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _read(reply: requests.Response) -> Page:
    reader = _Reader()
    if "html" in reply.headers.get("Content-Type", ""):
        reader.feed(reply.text)
    return Page(
        reply.url,
        reply.status_code,
        reply.text,
        dict(reply.headers),
        tuple(reader.forms),
        reader.forward,
    )


class _Reader(HTMLParser):
    """Finds forms, and the link of a forwarding page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.forward: str | None = None
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            self._open = True
        elif tag == "input" and self._open and "name" in given:
            if given.get("type") not in {"checkbox", "radio", "submit"}:
                self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "a" and "data-forward" in given:
            self.forward = given["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False
