"""What a browser submits while setting a new password."""

from wtforms import StringField

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class PasswordForm(Form):
    """The password that takes the old one's place."""

    new_password = StringField(lazy("New password"))
