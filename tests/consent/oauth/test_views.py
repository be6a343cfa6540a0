"""The consent page, whoever asks: here a made-up asker."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from consent.oauth import views
from consent.oauth.models import OAuthConsent
from consent.oauth.question import Question
from tenants.database import db
from tests.idp.provider import a_person

ACCOUNT = "0123456789ab"


@dataclass
class MadeUpAsker:
    """Asks one question, and remembers the answers."""

    person_id: UUID
    account: str | None = None
    company_name: str | None = None
    answers: list[bool] = field(default_factory=list)

    def question(self, reference, *, now):
        return Question(
            reference=reference or "",
            person_id=self.person_id,
            email="anna@example.com",
            client_id="app",
            client_name='<b>"Kalendarz"</b>',
            owner=None,
            host="app.example",
            scopes=("openid", "profile"),
            account=self.account,
            account_name="<i>Alfa</i>" if self.account else None,
            company_name=self.company_name,
            goes_on_at="/onwards",
        )

    def answered(self, session, question, *, allowed, now):
        self.answers.append(allowed)


@pytest.fixture
def asker(identity_app: Flask) -> MadeUpAsker:
    asker = MadeUpAsker(a_person())
    views.hand_in(identity_app, asker)
    identity_app.config["WTF_CSRF_ENABLED"] = False
    return asker


@pytest.mark.security("10.1", "14.1")
def test_the_page_says_who_asks_for_what(identity_app: Flask, asker: MadeUpAsker):
    page = identity_app.test_client().get("/consent?flow=x").get_data(as_text=True)

    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert 'data-scope="profile"' in page
    assert "anna@example.com" in page
    assert "app.example" in page
    assert "consent-account" not in page


@pytest.mark.security("10.1", "14.1")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["in the account &lt;i&gt;Alfa", "company Alfa Sklep", "for this account"]),
        ("pl", ["na koncie firmy &lt;i&gt;Alfa", "firmy Alfa Sklep", "dla tego konta"]),
    ],
)
def test_the_page_names_the_account_and_the_company(
    identity_app: Flask, asker: MadeUpAsker, language, words
):
    asker.account, asker.company_name = ACCOUNT, "Alfa Sklep"

    page = identity_app.test_client().get(
        "/consent?flow=x", headers={"Accept-Language": language}
    ).get_data(as_text=True)  # fmt: skip

    assert [each for each in words if each not in page] == []


@pytest.mark.parametrize(("answer", "allowed"), [("allow", True), ("refuse", False)])
def test_an_answer_is_written_down_and_leads_on(
    identity_app: Flask, asker: MadeUpAsker, answer, allowed
):
    response = identity_app.test_client().post(
        "/consent?flow=x", data={"answer": answer, "person": str(asker.person_id)}
    )

    assert response.headers["Location"] == "/onwards"
    assert asker.answers == [allowed]
    with db.reading() as session:
        rows = session.scalars(select(OAuthConsent)).all()
    assert [row.scopes for row in rows] == ([["openid", "profile"]] if allowed else [])


@pytest.mark.product("OP-3")
def test_a_consent_is_written_down_for_the_account_that_the_page_named(
    identity_app: Flask, asker: MadeUpAsker
):
    asker.account = ACCOUNT
    client = identity_app.test_client()
    answer = {"answer": "allow", "person": str(asker.person_id)}

    # Another account was chosen since the page was shown; in another tab, say.
    for shown in ({}, {"account": ""}, {"account": "f" * 12}):
        client.post("/consent?flow=x", data={**answer, **shown})
    assert asker.answers == []
    client.post("/consent?flow=x", data={**answer, "account": ACCOUNT})

    assert asker.answers == [True]
    with db.reading() as session:
        rows = session.scalars(select(OAuthConsent)).all()
    assert [row.account for row in rows] == [ACCOUNT]


def test_no_answer_is_no_answer(identity_app: Flask, asker: MadeUpAsker):
    identity_app.test_client().post("/consent?flow=x", data={"answer": "maybe"})

    assert asker.answers == []
