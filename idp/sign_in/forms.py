"""What a browser submits while signing in. Whether it is right is for the services."""

from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import Length

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy

_ONE_LINE = Length(max=1000)


class AddressForm(Form):
    """Who is it? A password manager may fill in the password at once."""

    email = StringField(lazy("E-mail address"), [_ONE_LINE])
    password = StringField(lazy("Password"))


class PasswordForm(Form):
    """The password, for the address that is known."""

    password = StringField(lazy("Password"))


class PasskeyForm(Form):
    """What the browser says for a passkey."""

    credential = HiddenField()


class CodeForm(PasskeyForm):
    """A code of any kind or a passkey, and whether to ask again on this device."""

    code = StringField(lazy("Code"), [_ONE_LINE])
    remember = BooleanField(lazy("Do not ask for a code on this device for 30 days"))
