"""What a browser submits on the account pages."""

from functools import cache
from zoneinfo import available_timezones

from wtforms import HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import InputRequired, Length, Regexp

from idp.credentials.passkeys import LONGEST_NAME
from idp.forms import Form
from kernel.i18n import LANGUAGES
from kernel.i18n import lazy_gettext as lazy

_NO_ADDRESS = Regexp(
    r"^[^@<>\x00-\x1f\x7f]*$", message=lazy("Leave out @ and angle brackets here.")
)
_PHONE = Regexp(
    r"^(\+?[0-9][0-9 \-()]{5,30})?$",
    message=lazy("This is not a phone number, like +48 600 700 800."),
)


@cache
def _time_zones() -> list[SelectChoice]:
    """Not before a form shows them: looking for them takes the disk."""
    return [
        SelectChoice("", lazy("Warsaw time")),
        *(
            SelectChoice(name, name.replace("_", " "))
            for name in sorted(available_timezones())
            if "/" in name
        ),
    ]


class ProfileForm(Form):
    """What a person says about themselves; everything is optional."""

    given_name = StringField(lazy("Given name"), [Length(max=100), _NO_ADDRESS])
    family_name = StringField(lazy("Family name"), [Length(max=100), _NO_ADDRESS])
    phone = StringField(lazy("Phone"), [Length(max=32), _PHONE])
    locale = SelectField(
        lazy("Language"),
        choices=[
            SelectChoice("", lazy("As the browser asks")),
            *(SelectChoice(code, name) for code, name in LANGUAGES.items()),
        ],
    )
    zoneinfo = SelectField(lazy("Time zone"), choices=_time_zones)


class PasswordForm(Form):
    """The current password, the second factor where there is one, and the new password."""

    password = StringField(lazy("Current password"))
    code = StringField(lazy("Code from the authenticator app"), [Length(max=1000)])
    new_password = StringField(lazy("New password"))


class CodeForm(Form):
    """A code from the app that is being added."""

    code = StringField(lazy("Code from the app"), [Length(max=1000)])


class PasskeyNameForm(Form):
    """What a passkey is called."""

    name = StringField(
        lazy("Name"),
        [
            InputRequired(lazy("Give it a name, say of the device that it is on.")),
            Length(max=LONGEST_NAME),
            Regexp(r"\s*\S", message=lazy("Give it a name, say of the device that it is on.")),
        ],
    )


class NewPasskeyForm(PasskeyNameForm):
    """A name, and what the browser made."""

    credential = HiddenField()
