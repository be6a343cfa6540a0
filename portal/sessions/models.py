"""The portal's tables of sessions, grants, sign-ins under way and what was revoked."""

from portal.database import Base
from relying_party.grants.models import AccessTokenMixin, GrantMixin
from relying_party.revocations.models import RevocationMixin, SeenTokenMixin
from relying_party.security_events.models import EventFeedMixin
from relying_party.sessions.models import SessionMixin
from relying_party.sign_in.models import SignInAttemptMixin


class ApplicationSession(SessionMixin, Base):
    """One browser, signed in to the portal."""

    __tablename__ = "sessions"


class Grant(GrantMixin, Base):
    """What a session may ask the identity program for."""

    __tablename__ = "grants"


class AccessToken(AccessTokenMixin, Base):
    """A token for one API."""

    __tablename__ = "access_tokens"


class SignInAttempt(SignInAttemptMixin, Base):
    """A tab that was sent to the identity program."""

    __tablename__ = "sign_in_attempts"


class Revocation(RevocationMixin, Base):
    """What the identity program has taken back."""

    __tablename__ = "revocations"


class SeenToken(SeenTokenMixin, Base):
    """A signed message that has had its effect."""

    __tablename__ = "seen_tokens"


class EventFeed(EventFeedMixin, Base):
    """Whether we hear what the identity program has to say."""

    __tablename__ = "event_feeds"
