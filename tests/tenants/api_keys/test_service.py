"""Keys of an account's own programs: what they may, and for how long."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.crypto import hash_token
from kernel.errors import NotFound, VersionConflict
from tenants.api_keys import service as keys
from tenants.api_keys.models import ApiKeySecret
from tenants.api_keys.service import NotAKey, Revoked
from tenants.api_keys.text import make
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.roles.power import MayNotGrant, NotPermitted
from tests.idp.race import all_at_once
from tests.tenants.acting import BOSS, SEE, USERS, Office, an_office, facts, trail
from tests.tenants.making import a_role, an_account, take

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-10")]
DAY = timedelta(days=1)


@pytest.fixture
def office():
    return an_office()


@pytest.fixture
def admin(office):
    return office.admin().actor


def made(office, actor, now, **changes):
    wanted = {"name": "Księgowość", "permissions": ["users:read"]} | changes
    with db.transaction(tenant=office.id) as session:
        return keys.create(session, office.id, **wanted, actor=actor, now=now)


def rotated(office, actor, fresh, now, *, overlap=DAY, version=None):
    with db.transaction(tenant=office.id) as session:
        return keys.rotate(
            session,
            office.id,
            fresh.key.id,
            overlap=overlap,
            version=version or fresh.key.version,
            actor=actor,
            now=now,
        )


def revoke(office, actor, key_id, now):
    with db.transaction(tenant=office.id) as session:
        keys.revoke(session, office.id, key_id, actor=actor, now=now)


def believed(text, now):
    with db.glancing() as glance:
        return keys.believe(glance, text, now=now)


def listed(office, actor):
    with db.reading(tenant=office.id) as session:
        return keys.listed(session, office.id, actor=actor)


@pytest.mark.security("12.7")
def test_a_key_is_shown_once_and_kept_as_a_digest(office, admin, now):
    fresh = made(office, admin, now)

    (shown,) = listed(office, admin)
    assert fresh.text.endswith(shown.hint)
    assert fresh.text not in repr(shown)
    with db.reading(tenant=office.id) as session:
        stored = session.scalars(
            select(ApiKeySecret.secret_hash).where(ApiKeySecret.tenant_id == office.id)
        ).one()
    assert stored == hash_token(fresh.text.rpartition(f"{office.id}_")[2])


def test_a_key_has_a_name_permissions_an_end_and_its_last_use(office, admin, now):
    made(office, admin, now, name="  Sklep   online ", expires_at=now + DAY)

    (shown,) = listed(office, admin)
    assert (shown.name, shown.permissions) == ("Sklep online", ("users:read",))
    assert (shown.expires_at, shown.last_used_at) == (now + DAY, None)


def test_a_key_speaks_for_its_owner_with_its_permissions(office, admin, now):
    fresh = made(office, admin, now, permissions=["users:read", "companies:read"])

    holder = believed(fresh.text, now)
    assert (holder.account, f"person:{holder.owner_id}") == (office.id, admin.id)
    assert {right.permission for right in holder.rights} == {"users:read", "companies:read"}


def test_its_last_use_is_written_once_a_minute(office, admin, now):
    fresh = made(office, admin, now)
    seen = []
    for seconds in (0, 30, 61):
        moment = now + timedelta(seconds=seconds)
        with db.transaction(tenant=office.id) as session:
            keys.used(session, believed(fresh.text, moment), now=moment)
        seen.append(listed(office, admin)[0].last_used_at)

    assert seen == [now, now, now + timedelta(seconds=61)]


@pytest.mark.security("12.7")
def test_a_key_is_good_until_its_end_and_not_a_moment_longer(office, admin, now):
    fresh = made(office, admin, now, expires_at=now + DAY)

    assert believed(fresh.text, now + DAY - timedelta(seconds=1))
    assert believed(fresh.text, now + DAY) is None


@pytest.mark.security("12.7")
def test_a_revoked_key_is_good_for_nothing_at_once(office, admin, now):
    fresh = made(office, admin, now)

    revoke(office, admin, fresh.key.id, now)

    assert believed(fresh.text, now) is None
    assert listed(office, admin)[0].revoked_at == now


def test_revoking_again_changes_nothing(office, admin, now):
    fresh = made(office, admin, now)
    for moment in (now, now + DAY):
        revoke(office, admin, fresh.key.id, moment)

    assert listed(office, admin)[0].revoked_at == now
    assert trail(office.id).count("api-key:revoked") == 1


def test_after_a_rotation_both_secrets_are_good_for_the_overlap(office, admin, now):
    first = made(office, admin, now)

    second = rotated(office, admin, first, now)

    assert believed(first.text, now + DAY - timedelta(seconds=1))
    assert believed(first.text, now + DAY) is None
    assert believed(second.text, now + 100 * DAY)


def test_two_secrets_are_good_at_most(office, admin, now):
    first = made(office, admin, now)
    second = rotated(office, admin, first, now)
    third = rotated(office, admin, second, now)

    assert [believed(each.text, now) is not None for each in (first, second, third)] == [
        False,
        True,
        True,
    ]


def test_without_an_overlap_the_old_secret_ends_at_once(office, admin, now):
    first = made(office, admin, now)
    rotated(office, admin, first, now, overlap=timedelta(0))

    assert believed(first.text, now) is None


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=8)])
def test_an_overlap_has_its_bounds(office, admin, now, overlap):
    fresh = made(office, admin, now)

    with pytest.raises(NotAKey):
        rotated(office, admin, fresh, now, overlap=overlap)


def test_a_revoked_key_is_not_rotated(office, admin, now):
    fresh = made(office, admin, now)
    revoke(office, admin, fresh.key.id, now)

    with pytest.raises(Revoked):
        rotated(office, admin, fresh, now)


@pytest.mark.security("15.2")
def test_of_fifty_rotations_at_once_one_wins(identity_app, office, admin, now):
    fresh = made(office, admin, now)

    answers = all_at_once(identity_app, 50, lambda: rotated(office, admin, fresh, now))

    won = [each for each in answers if not isinstance(each, Exception)]
    assert Counter(type(each) for each in answers)[VersionConflict] == 49
    assert believed(won[0].text, now)
    assert believed(fresh.text, now)


@pytest.mark.security("12.4")
def test_a_key_never_has_what_its_maker_does_not_hold(office, now):
    clerk = office.someone(_role(office, "users:read", "api-keys:manage")).actor

    assert made(office, clerk, now, permissions=["users:read"])
    with pytest.raises(MayNotGrant):
        made(office, clerk, now, permissions=["users:read", "users:manage"])


@pytest.mark.security("12.4")
def test_a_key_has_an_applications_permissions_where_its_maker_holds_them(office, admin, now):
    words = ["users:manage", "crm/contacts:read"]
    making = a_role(office.id, "Klucze", rights=[(ACCOUNTS, "api-keys:manage"), SEE, *USERS])
    seller = office.someone(making).actor

    for maker in (admin, seller):
        fresh = made(office, maker, now, permissions=words)
        assert fresh.key.permissions == ("crm/contacts:read", "users:manage")
        assert believed(fresh.text, now).rights == {SEE, (ACCOUNTS, "users:manage")}
    with pytest.raises(MayNotGrant):
        made(office, seller, now, permissions=[*words, "crm/contacts:write"])


def test_a_key_has_no_permission_of_an_application_that_the_account_has_not(admin, office, now):
    take(office.id, "crm")

    with pytest.raises(NotAKey):
        made(office, admin, now, permissions=["users:manage", "crm/contacts:read"])


@pytest.mark.security("12.4")
def test_nobody_rotates_somebody_elses_key_but_others_may_revoke_it(office, admin, now):
    fresh = made(office, admin, now, permissions=["users:manage"])
    clerk = office.someone(_role(office, "api-keys:manage")).actor

    with pytest.raises(MayNotGrant):
        rotated(office, clerk, fresh, now)
    revoke(office, clerk, fresh.key.id, now)
    assert believed(fresh.text, now) is None


@pytest.mark.security("12.7")
def test_a_key_can_not_be_for_managing_keys_nor_for_nothing_nor_for_what_nobody_knows(
    office, admin, now
):
    for wanted in (
        ["api-keys:manage"],
        ["accounts/api-keys:manage", "users:read"],
        ["accounts/users:read"],
        [],
        ["crm/contacts:read"],
        ["users:fly"],
        ["users:read", "crm/contacts:fly"],
        ["users:read", "nothing/contacts:read"],
        ["users:read", "/contacts:read"],
    ):
        with pytest.raises(NotAKey) as refused:
            made(office, admin, now, permissions=wanted)
        assert refused.value.field == "permissions"


@pytest.mark.parametrize("name", ["", "   ", "a" * 101, "a\x00b"])
def test_a_name_is_one_line(office, admin, now, name):
    with pytest.raises(NotAKey):
        made(office, admin, now, name=name)


def test_a_key_that_is_over_already_is_not_made(office, admin, now):
    with pytest.raises(NotAKey):
        made(office, admin, now, expires_at=now)


@pytest.mark.security("12.1")
def test_making_keys_is_a_permission(office, now):
    with pytest.raises(NotPermitted):
        made(office, office.seller().actor, now)
    with pytest.raises(NotPermitted):
        listed(office, office.seller().actor)


@pytest.mark.security("12.7")
def test_keys_belong_to_people(office, now):
    with pytest.raises(MayNotGrant):
        made(office, BOSS, now)


@pytest.mark.security("13.6")
def test_a_key_of_another_account_is_not_there(office, admin, now):
    other = Office(an_account("Biuro Lis"), "", office.selling, office.watching, office.editing)
    theirs = made(other, other.admin().actor, now)

    with pytest.raises(NotFound):
        revoke(office, admin, theirs.key.id, now)
    # Its text with our account's id is nobody's key.
    assert believed(theirs.text.replace(other.id, office.id), now) is None


def test_what_is_no_key_is_nobodys(office, now):
    assert believed("kl_nonsense", now) is None
    assert believed(str(make(office.id)), now) is None


def test_a_key_is_called_something_else(office, admin, now):
    fresh = made(office, admin, now)
    with db.transaction(tenant=office.id) as session:
        changed = keys.change(
            session, office.id, fresh.key.id, name="Sklep", version=1, actor=admin, now=now
        )

    assert (changed.name, changed.version) == ("Sklep", 2)


@pytest.mark.security("17.1")
def test_what_is_done_with_keys_is_in_the_history_and_told(office, admin, now):
    fresh = made(office, admin, now)
    rotated(office, admin, fresh, now)
    revoke(office, admin, fresh.key.id, now)

    assert trail(office.id) == ["api-key:created", "api-key:rotated", "api-key:revoked"]
    assert [kind for kind, *_ in facts()] == [
        "api_key.created",
        "api_key.rotated",
        "api_key.revoked",
    ]


def _role(office, *permissions):
    rights = [(ACCOUNTS, each) for each in permissions]
    return a_role(office.id, "-".join(permissions), rights=rights)
