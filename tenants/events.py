"""What can happen in accounts, by name: one enum a feature."""

from tenants.audit import Event


class ApplicationEvent(Event):
    """Applications declare what they let people do, and accounts get them."""

    DECLARED = "application:declared"
    GIVEN = "application:given"
    TAKEN = "application:taken"


class AccountEvent(Event):
    """The life of an account."""

    CREATED = "account:created"
    CHANGED = "account:changed"
    SUSPENDED = "account:suspended"
    RESUMED = "account:resumed"
    HANDED_OVER = "account:handed-over"
    FLAGGED = "account:flagged"
    CLOSED = "account:closed"
    CONFIGURATION_IMPORTED = "account:configuration:imported"


class CompanyEvent(Event):
    """The companies of an account."""

    CREATED = "company:created"
    CHANGED = "company:changed"
    ARCHIVED = "company:archived"
    RESTORED = "company:restored"
