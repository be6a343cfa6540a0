"""What a browser submits while all factors are lost."""

from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Regexp

from idp.credentials.lost_factors import LONGEST_CONTACT, LONGEST_NOTE
from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy

# One line for one line, and lines for many; nothing that a terminal or a log would obey.
_ONE_LINE = Regexp(r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$", message=lazy("Use letters and digits."))
_LINES = Regexp(
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$", message=lazy("Use letters and digits.")
)


def _stripped(text: str | None) -> str | None:
    return text.strip() if text is not None else None


class CodeForm(Form):
    """The code from the mail."""

    code = StringField(lazy("Code"), [Length(max=1000)])


class RequestForm(Form):
    """How the person is reached, and what they want to say."""

    contact = StringField(
        lazy("How can we reach you?"),
        [
            DataRequired(lazy("Say how we can reach you: without that nobody can help.")),
            Length(max=LONGEST_CONTACT, message=lazy("This is too long.")),
            _ONE_LINE,
        ],
        filters=[_stripped],
    )
    note = TextAreaField(
        lazy("What happened?"),
        [Length(max=LONGEST_NOTE, message=lazy("This is too long.")), _LINES],
        filters=[_stripped],
    )
