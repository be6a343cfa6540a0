"""Which of our tables are which, for `relying_party`."""

from crm.sessions import models
from relying_party.install import Tables

TABLES = Tables(
    session=models.ApplicationSession,
    grant=models.Grant,
    access_token=models.AccessToken,
    sign_in_attempt=models.SignInAttempt,
    revocation=models.Revocation,
    seen_token=models.SeenToken,
    event_feed=models.EventFeed,
)
