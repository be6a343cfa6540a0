"""What a browser submits to create an account."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import InputRequired, Length, Regexp

from kernel.i18n import lazy_gettext as lazy

LONGEST_NAME = 200


class NewAccountForm(FlaskForm):  # type: ignore[misc]
    """A name is all that an account needs. The identity program checks the rest."""

    class Meta:
        # The token against forged posts is checked for every request before any view.
        csrf = False

    name = StringField(
        lazy("Name of the company"),
        [
            InputRequired(lazy("Enter the name of the company.")),
            Regexp(r"\s*\S", message=lazy("Enter the name of the company.")),
            Length(max=LONGEST_NAME),
        ],
    )
    nip = StringField(lazy("Tax number (NIP)"), [Length(max=40)])
    is_accounting_office = BooleanField(lazy("I run an accounting office"))
    key = HiddenField(validators=[Regexp(r"^[\w-]{20,64}$")])
    """One for each form that is shown: pressed twice, it makes one account."""
