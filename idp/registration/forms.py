"""What a browser submits while registering."""

from wtforms import HiddenField, StringField

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class PasswordForm(Form):
    """The password for a new ID."""

    new_password = StringField(lazy("Password"))


class PasskeyForm(Form):
    """What the browser made."""

    credential = HiddenField()
