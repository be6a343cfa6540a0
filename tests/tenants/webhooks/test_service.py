"""Endpoints belong to one account, and their secrets are seen once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import select

from kernel.errors import NotFound, VersionConflict
from kernel.pages import PageRequest
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tenants.webhooks.models import WebhookEndpoint
from tenants.webhooks.service import WebhookNotValid
from tests.tenants.making import an_account
from tests.tenants.webhooks.making import ACTOR, URL, an_endpoint

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-16")]

ALL = PageRequest()


@pytest.fixture
def account():
    return an_account().id


def within(account, act, *arguments, **options):
    with db.transaction(tenant=account) as session:
        return act(session, account, *arguments, **options)


def events_of(account):
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=account_chain(account))]


@pytest.mark.security("4.1")
def test_the_secret_is_shown_once_and_kept_sealed(account, now):
    made, secret = an_endpoint(account, now)

    assert secret.startswith("whsec_")
    assert secret not in str(made)
    with db.reading(tenant=account) as session:
        kept = session.scalars(
            select(WebhookEndpoint.secret_sealed).where(WebhookEndpoint.tenant_id == account)
        ).one()
    assert secret.encode() not in kept
    assert within(account, webhooks.secrets_of, made.id, now=now) == [secret]


@pytest.mark.security("13.6", "13.5")
def test_another_account_sees_and_changes_nothing(account, now):
    made, _ = an_endpoint(account, now)
    other = an_account().id

    assert within(other, webhooks.find, made.id) is None
    assert within(other, webhooks.listed, asked=ALL).items == ()
    for act in (webhooks.rotate_secret, webhooks.disable, webhooks.enable, deliveries.send_test):
        with pytest.raises(NotFound):
            within(other, act, made.id, actor=ACTOR, now=now)
    with pytest.raises(NotFound):
        within(other, webhooks.remove, made.id, version=None, actor=ACTOR, now=now)


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    "url", ["http://hooks.example/", "ftp://a.example/", "https://a.example:22/", "hooks", ""]
)
def test_only_https_addresses_are_taken(account, now, url):
    with pytest.raises(WebhookNotValid) as refused:
        an_endpoint(account, now, url=url)

    assert refused.value.field == "url"


@pytest.mark.parametrize(
    ("field", "value"),
    [("events", ["person.blocked"]), ("events", ["x"]), ("description", "a\nb")],
)
def test_what_can_not_be_is_refused(account, now, field, value):
    with pytest.raises(WebhookNotValid) as refused:
        an_endpoint(account, now, **{field: value})

    assert refused.value.field == field


@pytest.mark.security("15.2")
def test_of_many_made_at_once_no_more_are_kept_than_an_account_may_have(account, now):
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def make(_):
        with app.app_context():
            try:
                an_endpoint(account, now)
            except WebhookNotValid:
                return 0
            return 1

    with ThreadPoolExecutor(10) as pool:
        made = sum(pool.map(make, range(50)))

    assert made == webhooks.MOST_ENDPOINTS


def test_a_change_names_the_version_that_it_was_made_on(account, now):
    made, _ = an_endpoint(account, now)

    changed = within(
        account,
        webhooks.change,
        made.id,
        version=1,
        actor=ACTOR,
        now=now,
        events=["member.added", "account.changed"],
        url="https://other.example/",
    )

    assert (changed.version, changed.events) == (2, ["account.changed", "member.added"])
    with pytest.raises(VersionConflict):
        within(account, webhooks.change, made.id, version=1, actor=ACTOR, now=now, url=URL)


def test_a_rotated_secret_signs_beside_the_new_one_until_the_overlap_ends(account, now):
    made, old = an_endpoint(account, now)

    new = within(
        account, webhooks.rotate_secret, made.id, actor=ACTOR, now=now, overlap=timedelta(hours=1)
    )

    def good(at):
        return within(account, webhooks.secrets_of, made.id, now=at)

    assert good(now) == [new, old]
    assert good(now + timedelta(hours=1)) == [new]


@pytest.mark.security("17.1")
def test_the_audit_trail_tells_what_was_done(account, now):
    made, _ = an_endpoint(account, now)
    within(account, webhooks.rotate_secret, made.id, actor=ACTOR, now=now)
    within(account, webhooks.disable, made.id, actor=ACTOR, now=now)
    within(account, webhooks.enable, made.id, actor=ACTOR, now=now)
    within(account, deliveries.send_test, made.id, actor=ACTOR, now=now)
    within(account, webhooks.remove, made.id, version=None, actor=ACTOR, now=now)

    assert events_of(account)[::-1] == [
        "webhook:created",
        "webhook:secret:rotated",
        "webhook:disabled",
        "webhook:enabled",
        "webhook:tested",
        "webhook:removed",
    ]
