from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from kernel.api import Answer, Asked, Change, Moment


class Meeting(Asked):
    """When."""

    at: Moment


class MeetingAnswer(Answer):
    """When."""

    at: Moment


class MeetingChange(Change):
    """When, perhaps."""

    at: Moment | None = None


def test_a_moment_is_read_with_its_offset_and_kept_in_utc():
    meeting = Meeting.model_validate_json('{"at": "2026-06-01T14:00:00+02:00"}')

    assert meeting.at == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert meeting.at.utcoffset() == timedelta(0)


def test_a_moment_is_written_in_one_way():
    at = datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2)))

    assert MeetingAnswer(at=at).model_dump_json() == '{"at":"2026-06-01T12:00:00.000000Z"}'


@pytest.mark.parametrize("at", ["2026-06-01", "2026-06-01T12:00:00", "1780315200", "noon", ""])
def test_what_is_no_moment_is_refused(at):
    with pytest.raises(ValidationError):
        Meeting.model_validate_json(f'{{"at": "{at}"}}')


def test_what_was_left_out_is_told_from_what_was_sent_as_null():
    assert MeetingChange.model_validate_json("{}").given() == {}
    assert MeetingChange.model_validate_json('{"at": null}').given() == {"at": None}


def test_an_answer_takes_from_what_was_found_only_what_it_shows():
    class Found:
        at = datetime(2026, 6, 1, tzinfo=UTC)
        secret = "x"

    assert set(MeetingAnswer.of(Found()).model_dump()) == {"at"}
