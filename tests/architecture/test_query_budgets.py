"""What a sign-in may ask of the database: counted, request by request, and all of it by an index.

PERFORMANCE.md allows a sign-in 8 commits and 20 objects; it takes fewer, and these stay.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import insert

from consent.oauth import service as consents
from idp.clients import service as clients
from idp.sessions import service as sessions
from idp.sessions.models import Device
from idp.sessions.service import Whereabouts
from kernel import clock
from kernel.ids import new_id
from tenants.database import db
from tests.idp.provider import CALLBACK, VERIFIER, a_query, an_app
from tests.idp.visitor import PASSWORD, Mailroom, Visitor, a_person
from tests.plans import scanned
from tests.statements import Asked, asked_of
from tests.tenants.making import a_member, a_role, an_account, an_application

ANNA = "anna@example.com"

# A handful of rows, and never more: reading them all is what they are for.
WHOLE = {"cache_versions", "applications", "permissions"}


@pytest.fixture
def person_id(identity_app):
    return a_person(ANNA)


@pytest.fixture
def app(identity_app):
    return an_app(first_party=True)


@pytest.fixture
def visitor(identity_app, monkeypatch, person_id):
    """A browser that is remembered, with nobody signed in."""
    visitor, mailroom = Visitor(identity_app), Mailroom(identity_app, monkeypatch)
    visitor.sign_in(ANNA)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    visitor.get("/account").submit("/sign-out")
    return visitor


class Walk:
    """One sign-in as PERFORMANCE.md describes it, with what each request asked."""

    def __init__(self, visitor: Visitor, app, **changes: Any) -> None:
        self.client, self.app, self.changes = visitor.client, app, changes
        self.visitor = visitor
        self.asked: dict[str, Asked] = {}
        self.tokens: dict[str, str] = {}

    def sign_in(self) -> "Walk":
        page = self._do("begin", "GET", self._authorize()).headers["Location"]
        self.visitor.response = self._do("page", "GET", page)
        form = self.visitor.form("/sign-in")
        typed = {**form.values, "email": ANNA, "password": PASSWORD}
        back = self._do("password", "POST", form.action, data=typed).headers["Location"]
        answer = self._do("code", "GET", back)
        text = answer.get_data(as_text=True).replace("&amp;", "&")
        address = text[text.index(CALLBACK) :].split('"')[0]
        return self._finish(address)

    def sign_in_again(self) -> "Walk":
        return self._finish(self._do("again", "GET", self._authorize()).headers["Location"])

    def refresh(self) -> "Walk":
        fields = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        self._do("refresh", "POST", "/token", data=fields, headers=self.app.basic)
        return self

    @property
    def cost(self) -> tuple[int, ...]:
        """Statements, commits and objects of all requests."""
        return tuple(map(sum, zip(*(asked.cost for asked in self.asked.values()), strict=True)))

    def _authorize(self) -> str:
        return f"/authorize?{urlencode(a_query(self.app, **self.changes))}"

    def _finish(self, address: str) -> "Walk":
        fields = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(address).query)["code"][0],
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        answer = self._do("tokens", "POST", "/token", data=fields, headers=self.app.basic)
        self.tokens = answer.get_json()
        bearer = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        self._do("userinfo", "GET", "/userinfo", headers=bearer)
        return self

    def _do(self, name: str, method: str, url: str, **more):
        with asked_of(db.engine) as asked:
            response = self.client.open(url, method=method, **more)
        assert response.status_code < 400, response.get_data(as_text=True)
        self.asked[name] = asked
        return response


# Statements, commits, objects of each request, at most.
BUDGETS = {
    "begin": (2, 1, 0),
    "page": (2, 0, 0),
    "password": (14, 2, 0),
    "code": (6, 1, 0),
    "tokens": (5, 1, 0),
    "userinfo": (2, 0, 0),
    "again": (4, 1, 0),
    "refresh": (4, 1, 0),
}


# Before somebody signed in, nobody looks what they are in an account.
KNOW_THE_ACCOUNT = {"code", "tokens", "userinfo", "again", "refresh"}


def warmed_up(visitor: Visitor, app) -> None:
    """What a process reads once (clients, keys) is read."""
    walk = Walk(visitor, app).sign_in().sign_in_again().refresh()
    assert walk.tokens
    visitor.get("/account").submit("/sign-out")


def test_every_request_of_a_sign_in_stays_within_its_budget(visitor, app):
    warmed_up(visitor, app)

    walk = Walk(visitor, app).sign_in()
    walk.sign_in_again().refresh()

    over = {
        name: (asked.cost, asked.statements)
        for name, asked in walk.asked.items()
        if any(spent > allowed for spent, allowed in zip(asked.cost, BUDGETS[name], strict=True))
    }
    assert over == {}
    assert walk.asked.keys() == BUDGETS.keys()


@pytest.fixture
def in_account(visitor, app, person_id):
    """An account in which the person uses the application."""
    an_application("crm", permissions=("contacts:read",))
    account = an_account(applications=["crm"])
    role = a_role(account.id, rights=[("crm", "contacts:read")])
    a_member(account.id, person_id, roles=[account.admin_role, (role, account.main_company)])
    with db.transaction() as session:
        clients.update_metadata(session, app.id, now=clock.now(), application="crm")
    return account.id


def test_an_account_costs_two_statements_in_each_request_that_knows_it(visitor, app, in_account):
    """What the person is there is read at every use, and nothing else of it is."""
    warmed_up(visitor, app)

    walk = Walk(visitor, app, account=in_account).sign_in()
    walk.sign_in_again().refresh()

    allowed = {
        name: (statements + (2 if name in KNOW_THE_ACCOUNT else 0), commits, objects)
        for name, (statements, commits, objects) in BUDGETS.items()
    }
    over = {
        name: (asked.cost, asked.statements)
        for name, asked in walk.asked.items()
        if any(spent > most for spent, most in zip(asked.cost, allowed[name], strict=True))
    }
    assert over == {}


def test_a_whole_sign_in_takes_five_commits_and_no_object(visitor, app):
    warmed_up(visitor, app)

    walk = Walk(visitor, app).sign_in()

    statements, commits, objects = walk.cost
    assert statements <= 31
    assert commits <= 5
    assert objects == 0


def test_no_request_looks_the_same_up_twice(visitor, app):
    """But for the password step: what it knew before the hash may be old after it."""
    warmed_up(visitor, app)

    walk = Walk(visitor, app).sign_in().sign_in_again().refresh()

    twice = {
        name: sorted({sql for sql in asked.selects if asked.selects.count(sql) > 1})
        for name, asked in walk.asked.items()
        # The versions of what is kept in memory are read wherever that memory is used.
        if name not in ("password", "tokens", "refresh")
    }
    assert {name: found for name, found in twice.items() if found} == {}


def test_how_much_a_person_has_changes_no_number_of_statements(visitor, app, person_id):
    warmed_up(visitor, app)
    before = Walk(visitor, app).sign_in().sign_in_again().refresh()
    visitor.get("/account").submit("/sign-out")
    now = clock.now()
    for number in range(30):
        other = an_app(name=f"Other {number}")
        with db.transaction() as session:
            consents.give(
                session,
                person_id=person_id,
                client_id=other.id,
                account=None,
                scopes=["openid"],
                now=now,
            )
            sessions.start(
                session, person_id=person_id, amr=["pwd"], acr="1", where=Whereabouts(), now=now
            )
            session.execute(
                insert(Device).values(
                    id=new_id(),
                    person_id=person_id,
                    secret_hash=number.to_bytes(32),
                    user_agent="",
                    created_at=now,
                    last_seen_at=now,
                )
            )
    # The versions moved on with each application: read once more.
    warmed_up(visitor, app)

    after = Walk(visitor, app).sign_in().sign_in_again().refresh()

    kinds = [{name: a.kinds for name, a in walk.asked.items()} for walk in (before, after)]
    assert kinds[0] == kinds[1]


def test_every_statement_of_a_sign_in_finds_its_rows_by_an_index(visitor, app):
    walk = Walk(visitor, app).sign_in().sign_in_again().refresh()

    assert _all_scanned(walk) == {}


def test_every_statement_about_an_account_finds_its_rows_by_an_index(visitor, app, in_account):
    walk = Walk(visitor, app, account=in_account).sign_in().sign_in_again().refresh()

    assert _all_scanned(walk) == {}


def _all_scanned(walk: Walk) -> dict[str, set[str]]:
    runs = {sql: values for asked in walk.asked.values() for sql, values in asked.runs}
    return {
        sql: tables for sql, values in runs.items() if (tables := scanned(sql, values, whole=WHOLE))
    }


def test_a_session_that_was_used_a_moment_ago_is_not_written_again(visitor, app):
    warmed_up(visitor, app)
    walk = Walk(visitor, app).sign_in()

    again = walk.sign_in_again().asked["again"]

    assert [sql for sql in again.changes if "browser_sessions" in sql.split("(")[0]] == []
    assert timedelta(minutes=1) == sessions._SEEN_EVERY
