from datetime import UTC, datetime

import pytest

from kernel.i18n import format_moment, in_time_zone
from tests.kernel.web.a_program import a_program

NOON = datetime(2026, 2, 6, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Tokyo", "6.02.2026, 21:00"),
        (None, "6.02.2026, 13:00"),
        ("", "6.02.2026, 13:00"),
        ("Mars/Olympus", "6.02.2026, 13:00"),
        ("../../etc/passwd", "6.02.2026, 13:00"),
    ],
)
def test_times_are_in_the_persons_zone_and_else_in_polands(zone, written):
    with a_program(person_time_zone=lambda: zone).test_request_context():
        assert format_moment(NOON) == written


def test_a_mail_is_written_in_the_zone_of_its_reader():
    with a_program(person_time_zone=lambda: "Asia/Tokyo").app_context():
        with in_time_zone("America/New_York"):
            assert format_moment(NOON) == "6.02.2026, 07:00"
            with in_time_zone("Mars/Olympus"):
                assert format_moment(NOON) == "6.02.2026, 13:00"
        assert format_moment(NOON) == "6.02.2026, 21:00"


def test_templates_have_the_same_formats():
    app = a_program()
    with app.test_request_context():
        template = app.jinja_env.from_string("{{ when | moment }} {{ 1 | number }}")

        assert template.render(when=NOON) == "6.02.2026, 13:00 1"
