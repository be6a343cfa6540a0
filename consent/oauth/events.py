"""What can happen to a consent, by name."""

from tenants.audit import Event


class ConsentEvent(Event):
    """Events of consents that people give to applications."""

    GIVEN = "consent:given"
    REFUSED = "consent:refused"
    WITHDRAWN = "consent:withdrawn"
