"""An account that invites, and the mails that come of it."""

from collections.abc import Callable
from typing import Any

import pytest

from idp import facts as hearing
from kernel import clock
from kernel.mail import Mail
from tenants.database import db
from tenants.invitations import service as invitations
from tenants.invitations.rows import InvitationSummary
from tenants.members.service import Wanted
from tests.idp.visitor import Mailroom
from tests.tenants.acting import Office, Someone, an_office

Invite = Callable[..., InvitationSummary]


class AttentiveMailroom(Mailroom):
    """One whose worker hears of what was done before it sends mails."""

    def deliver(self) -> list[Mail]:
        hearing.hear(clock.now())
        return super().deliver()


@pytest.fixture
def mailroom(identity_app, monkeypatch) -> Mailroom:
    return AttentiveMailroom(identity_app, monkeypatch)


@pytest.fixture
def office(identity_app) -> Office:
    return an_office()


@pytest.fixture
def admin(office: Office) -> Someone:
    return office.admin()


@pytest.fixture
def invite(office, admin) -> Invite:
    """An invitation to watch, for the new address unless another is said."""

    def act(email="new@example.com", **changes) -> InvitationSummary:
        wanted: dict[str, Any] = {
            "assignments": [Wanted(office.watching)],
            "now": clock.now(),
        } | changes
        where = wanted.pop("where", office)
        actor = wanted.pop("actor", admin.actor)
        with db.transaction(tenant=where.id) as session:
            return invitations.invite(session, where.id, email=email, actor=actor, **wanted)

    return act


@pytest.fixture
def state_of(office, admin):
    """What the account sees of an invitation."""

    def look(invitation):
        with db.reading(tenant=office.id) as session:
            found = invitations.find(session, office.id, invitation.id, actor=admin.actor)
        return found.state(clock.now())

    return look
