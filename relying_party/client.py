"""Who this application is at the identity program, and what it asks for."""

from dataclasses import dataclass

SIGNED_OUT_PATH = "/signed-out"
CALLBACK_PATH = "/callback"
BACKCHANNEL_LOGOUT_PATH = "/backchannel-logout"
SECURITY_EVENTS_PATH = "/security-events"


@dataclass(frozen=True)
class Client:
    """An application as it is registered at the provider.

    The addresses follow from `public_url`; whoever registers the application uses these.
    """

    client_id: str
    public_url: str
    key: str
    """The private JWK as text."""
    audiences: tuple[str, ...]
    """Whose APIs the application calls for a person; the first one, which gets the first token, is
    the issuer itself: that token is good for asking who the person is."""
    scope: str = "openid profile email accounts"
    application: str = ""
    """What the application is called among those that accounts have."""

    @property
    def redirect_uri(self) -> str:
        return f"{self.public_url}{CALLBACK_PATH}"

    @property
    def signed_out_uri(self) -> str:
        return f"{self.public_url}{SIGNED_OUT_PATH}"

    @property
    def main_audience(self) -> str:
        return self.audiences[0]
