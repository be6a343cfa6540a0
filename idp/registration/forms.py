"""What a browser submits while registering."""

from wtforms import StringField

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class PasswordForm(Form):
    """The password for a new ID."""

    new_password = StringField(lazy("Password"))
