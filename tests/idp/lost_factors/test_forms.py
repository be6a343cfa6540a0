import pytest
from werkzeug.datastructures import MultiDict

from idp.lost_factors.forms import RequestForm


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    ("contact", "note", "is_good"),
    [
        ("+48 600 700 800, po 16", "", True),
        ("Zażółć", "dwie\r\nlinie\ti tabulator", True),
        ("", "", False),
        ("two\nlines", "", False),
        ("me", "bell\x07", False),
        ("me", "escape\x1b[2J", False),
    ],
)
def test_what_a_terminal_would_obey_is_refused(identity_app, contact, note, is_good):
    with identity_app.test_request_context():
        form = RequestForm(MultiDict({"contact": contact, "note": note}))

        assert form.validate() is is_good
