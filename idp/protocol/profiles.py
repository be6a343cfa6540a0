"""What a kind of client must do, and what it is let off."""

from dataclasses import dataclass

STANDARD = "standard"
LEGACY = "legacy"


@dataclass(frozen=True)
class Profile:
    """The rules of one kind of client, as plain facts that the checks ask for."""

    name: str
    pkce_required: bool = True
    assertion_may_name_token_endpoint: bool = False
    retry_seconds: int = 10
    """How long a confidential client's identical refresh gets the identical answer."""


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(STANDARD),
        Profile(LEGACY, pkce_required=False, assertion_may_name_token_endpoint=True),
    )
}
