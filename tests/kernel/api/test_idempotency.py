"""A request that is sent twice is carried out once."""

from datetime import timedelta

import pytest

from kernel.api.idempotency import KEPT, LEASE, Answered, Claim, KeyInFlight, KeyReused, digest
from tests.idp.race import all_at_once
from tests.kernel.api.folders import Program, how_many
from tests.kernel.tables import IdempotentRequest, db, idempotent_requests

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
pytestmark = pytest.mark.security("15.3")


def begin(now, *, key="k", whose="me", request=b"r" * 32):
    return idempotent_requests.begin(db, key=key, whose=whose, request=request, now=now)


def test_a_repeated_request_is_carried_out_once_and_answered_twice(writer):
    first = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)
    second = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)

    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    for name in ("Location", "ETag", "Content-Type"):
        assert first.headers[name] == second.headers[name]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert how_many() == 1


def test_the_key_is_the_same_with_quotes_and_without(writer):
    writer.ask("POST", "/folders", json={"name": "A"}, headers={"Idempotency-Key": '"abc"'})
    again = writer.ask("POST", "/folders", json={"name": "A"}, headers={"Idempotency-Key": "abc"})

    assert again.status_code == 201


def test_a_refusal_is_repeated_too(writer):
    writer.ask("POST", "/folders", json={"name": "A"})
    refused = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)
    again = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)

    assert refused.status_code == again.status_code == 409
    assert refused.data == again.data
    assert again.mimetype == "application/problem+json"


def test_what_was_never_begun_is_not_kept(writer):
    wrong = writer.ask("POST", "/folders", json={}, headers=KEY)
    right = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)

    assert (wrong.status_code, right.status_code) == (422, 201)


@pytest.mark.parametrize("name", ["busy", "broken", "stale"])
def test_what_failed_on_our_side_or_for_now_may_be_sent_again(writer, name):
    first = writer.ask("POST", "/folders", json={"name": name}, headers=KEY)
    second = writer.ask("POST", "/folders", json={"name": name}, headers=KEY)

    assert first.status_code == second.status_code
    assert "Idempotency-Replayed" not in second.headers


def test_another_request_under_the_same_key_is_refused(writer):
    writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)
    other = writer.ask("POST", "/folders", json={"name": "B"}, headers=KEY)

    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert how_many() == 1


@pytest.mark.security("13.5")
def test_everybody_has_keys_of_their_own(folders_app, writer):
    writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)
    other = Program(folders_app.test_client(), "writer of another")

    answer = other.ask("POST", "/folders", json={"name": "B"}, headers=KEY)

    assert answer.status_code == 201
    assert answer.json["name"] == "B"


@pytest.mark.parametrize("key", ["", '""', "ż", "a b", "x" * 256])
def test_a_key_is_a_short_word(writer, key):
    answer = writer.ask(
        "POST",
        "/folders",
        json={"name": "A"},
        headers={"Idempotency-Key": key.encode("utf-8").decode("latin-1")},
    )

    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_unusable")


def test_while_it_is_carried_out_a_repetition_waits(folders_app, now):
    assert isinstance(begin(now), Claim)

    with pytest.raises(KeyInFlight):
        begin(now + LEASE - timedelta(seconds=1))


def test_what_nobody_carries_out_any_more_is_begun_anew(folders_app, now):
    lost = begin(now)

    again = begin(now + LEASE)

    assert isinstance(again, Claim)
    # Whoever was thought lost and comes back later does not answer for the new one.
    idempotent_requests.finish(db, lost, Answered(200, (), b"old"))
    with pytest.raises(KeyInFlight):
        begin(now + LEASE)
    idempotent_requests.finish(db, again, Answered(200, (), b"new"))
    assert begin(now + LEASE) == Answered(200, (), b"new")


def test_another_request_does_not_take_over_what_was_given_up(folders_app, now):
    begin(now)

    with pytest.raises(KeyReused):
        begin(now + LEASE, request=b"o" * 32)


def test_after_a_day_a_key_is_new(folders_app, now):
    idempotent_requests.finish(db, begin(now), Answered(200, (), b"old"))

    assert isinstance(begin(now + KEPT - timedelta(seconds=1)), Answered)
    assert isinstance(begin(now + KEPT, request=b"o" * 32), Claim)


def test_what_is_over_is_removed(folders_app, now):
    begin(now)
    begin(now + timedelta(hours=1), key="other")

    assert idempotent_requests.clean(db, now=now + KEPT) == 1
    assert idempotent_requests.clean(db, now=now + KEPT) == 0


@pytest.mark.security("8.6")
def test_an_answer_lies_in_the_database_sealed(writer):
    writer.ask("POST", "/folders", json={"name": "a secret name"}, headers=KEY)

    with db.reading() as session:
        (row,) = session.query(IdempotentRequest).all()
    assert b"a secret name" not in (row.answer_sealed or b"")
    assert b"8e03978e" not in row.key_hash


def test_an_answer_that_can_not_be_opened_any_more_is_never_made_anew(folders_app, writer):
    writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)
    settings = folders_app.extensions["klucznik.settings"]
    folders_app.extensions["klucznik.settings"] = settings.model_copy(
        update={
            "encryption_keys": type(settings.encryption_keys)(
                "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE"
            )
        }
    )

    answer = writer.ask("POST", "/folders", json={"name": "A"}, headers=KEY)

    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert how_many() == 1


@pytest.mark.security("15.2", "20.5")
def test_of_fifty_at_once_one_is_carried_out(folders_app):
    def send():
        program = Program(folders_app.test_client())
        return program.ask("POST", "/folders", json={"name": "A"}, headers=KEY)

    answers = all_at_once(folders_app, 50, send)

    assert how_many() == 1
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.data for answer in made}) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(
        answer.json["code"] == "idempotency_key_in_flight"
        for answer in answers
        if answer.status_code == 409
    )


def test_a_digest_tells_where_one_part_ends():
    assert digest(b"ab", b"c") != digest(b"a", b"bc")
