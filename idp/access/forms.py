"""What a browser submits with the first access."""

from wtforms import StringField

from idp.forms import Form
from kernel.i18n import lazy_gettext as lazy


class PasswordForm(Form):
    """The person's first own password."""

    new_password = StringField(lazy("New password"))
