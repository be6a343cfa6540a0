from collections import Counter

import pytest
from sqlalchemy import func, select

from idp.access.service import How
from idp.credentials.models import Password
from idp.events import IdpEvent
from idp.person_import import service
from idp.person_import.files import Row
from idp.person_import.service import Outcome, Result, bring_in
from kernel.ledger import INSTALLATION
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.models import Person
from tests.idp.credentials.vectors import BCRYPT, HASHES, THEIRS
from tests.idp.race import all_at_once
from tests.idp.visitor import PASSWORD, Visitor, a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def rows(*fields):
    return [Row(line, one) for line, one in enumerate(fields, start=2)]


def run(them, now, **options):
    told: list[Result] = []
    summary = bring_in(them, by="operator", now=lambda: now, tell=told.append, **options)
    return summary, told


def find(email):
    with db.reading() as session:
        return people.find_by_email(session, email)


def stored(person_id):
    with db.reading() as session:
        return session.get(Password, person_id)


def count():
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Person))


@pytest.mark.product("ID-8")
def test_a_person_comes_with_profile_and_password(now):
    anna = {"email": "Anna@example.com", "password_hash": BCRYPT, "given_name": "Anna"}

    summary, told = run(rows({**anna, "locale": "pl", "zoneinfo": "Europe/Warsaw"}), now)

    person = find("anna@example.com")
    assert (person.given_name, person.locale, person.zoneinfo) == ("Anna", "pl", "Europe/Warsaw")
    assert (stored(person.id).hash, stored(person.id).imported_milliseconds) == (BCRYPT, 1)
    assert summary.outcomes == Counter({Outcome.CREATED: 1})
    assert [(one.line, one.email, one.outcome) for one in told] == [
        (2, "Anna@example.com", Outcome.CREATED)
    ]


@pytest.mark.product("ID-8")
@pytest.mark.security("1.5")
@pytest.mark.parametrize(("kind", "hash_"), HASHES)
def test_whoever_was_imported_signs_in_on_the_page_and_is_ours_from_then_on(
    identity_app, now, kind, hash_
):
    run(rows({"email": "anna@example.com", "password_hash": hash_}), now)

    refused = Visitor(identity_app).sign_in("anna@example.com", "another one")
    visitor = Visitor(identity_app).sign_in("anna@example.com", THEIRS)

    assert refused.status == 422
    assert (visitor.status, visitor.path.partition("?")[0]) == (200, "/sign-in/code")
    renewed = stored(find("anna@example.com").id)
    assert renewed.hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert renewed.imported_milliseconds is None
    assert "/sign-in/code" in Visitor(identity_app).sign_in("anna@example.com", THEIRS).path


def test_who_comes_without_a_password_has_none(now):
    summary, _ = run(rows({"email": "anna@example.com"}), now)

    assert stored(find("anna@example.com").id) is None
    assert summary.kinds == Counter({"none": 1})


@pytest.mark.product("ID-9")
@pytest.mark.product("ID-10")
@pytest.mark.parametrize("how", How)
def test_who_comes_without_a_password_can_be_given_access_by_mail(now, mailroom, how):
    run(
        rows(
            {"email": "anna@example.com"},
            {"email": "jan@example.com", "password_hash": BCRYPT},
        ),
        now,
        how=how,
    )

    assert [mail.to for mail in mailroom.deliver()] == ["anna@example.com"]


@pytest.mark.product("ID-2")
def test_an_address_that_has_an_id_is_skipped_and_its_password_stays(identity_app, now):
    person_id = a_person("anna@example.com")
    before = stored(person_id).hash

    summary, told = run(
        rows({"email": "ANNA@example.com", "password_hash": BCRYPT, "given_name": "Other"}), now
    )

    assert summary.outcomes == Counter({Outcome.SKIPPED: 1})
    assert told[0].reason == "the address has an ID"
    assert stored(person_id).hash == before
    assert find("anna@example.com").given_name is None
    assert "/sign-in/code" in Visitor(identity_app).sign_in("anna@example.com", PASSWORD).path


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_second_row_of_an_address_is_skipped_and_names_the_first(now, dry_run):
    summary, told = run(
        rows({"email": "a@example.com"}, {"email": "b@example.com"}, {"email": "A@example.com"}),
        now,
        dry_run=dry_run,
    )

    assert summary.outcomes == Counter({Outcome.CREATED: 2, Outcome.SKIPPED: 1})
    assert [one.reason for one in told if one.outcome is Outcome.SKIPPED] == [
        "the same address as in line 2"
    ]


def test_a_bad_row_stops_no_good_one(now):
    them = [
        Row(2, {"email": "a@example.com"}),
        Row(3, {"email": "b@example.com", "password_hash": "plain"}),
        Row(4, {}, "not a JSON object"),
        Row(5, {"email": "c@example.com"}),
    ]

    summary, told = run(them, now)

    assert summary.refused == 2
    assert [(one.line, one.reason) for one in told if one.outcome is Outcome.REFUSED] == [
        (3, "password_hash: a hash of no known kind"),
        (4, "not a JSON object"),
    ]
    assert count() == 2


def test_a_dry_run_says_the_same_and_writes_nothing(now):
    a_person("known@example.com")
    them = rows(
        {"email": "a@example.com", "password_hash": BCRYPT},
        {"email": "known@example.com"},
        {"email": "no address"},
    )

    dry, _ = run(them, now, dry_run=True)
    with db.reading() as session:
        on_record = ledger.history(session, chain=INSTALLATION)
    people_then = count()
    real, _ = run(them, now)

    assert (people_then, on_record) == (1, [])
    assert (dry.outcomes, dry.kinds) == (real.outcomes, real.kinds)


@pytest.mark.security("17.1")
def test_the_audit_trail_tells_of_each_person_and_of_the_whole(now):
    run(
        rows({"email": "a@example.com", "password_hash": BCRYPT}, {"email": "nothing"}),
        now,
    )

    person_id = find("a@example.com").id
    with db.reading() as session:
        [of_person] = ledger.history(session, chain=person_chain(person_id))
        [of_all] = ledger.history(session, chain=INSTALLATION)
    assert (of_person.event, of_person.actor) == (IdpEvent.PERSON_IMPORTED, "operator")
    assert (of_person.details, of_person.personal) == (
        {"password": "bcrypt"},
        {"email": "a@example.com"},
    )
    assert of_all.event == IdpEvent.PEOPLE_IMPORTED
    assert of_all.details == {
        "created": 1,
        "skipped": 0,
        "refused": 1,
        "passwords": {"bcrypt": 1},
    }


def test_a_run_that_was_broken_off_is_started_again(now, monkeypatch):
    monkeypatch.setattr(service, "BATCH", 2)
    them = rows(*({"email": f"person{number}@example.com"} for number in range(5)))

    def until_it_breaks():
        yield from them[:3]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk"):
        run(until_it_breaks(), now)
    after_the_break = count()
    summary, _ = run(them, now)

    assert after_the_break == 2
    assert summary.outcomes == Counter({Outcome.CREATED: 3, Outcome.SKIPPED: 2})
    assert count() == 5


@pytest.mark.product("ID-2")
def test_ten_imports_of_one_file_at_once_make_each_person_once(identity_app, now):
    them = rows(
        *({"email": f"person{number}@example.com", "password_hash": BCRYPT} for number in range(20))
    )

    answers = all_at_once(identity_app, 10, lambda: run(them, now)[0].outcomes[Outcome.CREATED])

    assert sum(one for one in answers if isinstance(one, int)) == 20
    assert count() == 20
