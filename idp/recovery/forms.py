"""What a browser submits while setting a new password."""

from wtforms import StringField
from wtforms.validators import Length

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class AddressForm(Form):
    """The address of the ID."""

    email = StringField(lazy("E-mail address"), [Length(max=1000)])


class CodeForm(Form):
    """The code from the mail."""

    code = StringField(lazy("Code"), [Length(max=1000)])


class PasswordForm(Form):
    """The password that takes the old one's place."""

    new_password = StringField(lazy("New password"))
