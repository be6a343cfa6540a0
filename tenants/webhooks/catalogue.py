"""What an account can hear of, in words; the page about events is made from this."""

from collections.abc import Mapping
from types import MappingProxyType

from tenants.facts.service import Kind

TEST = "webhook.test"
"""The event that somebody sends to see whether an address works."""

EXPLAINED: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.ACCOUNT_CREATED: "The account was created.",
        Kind.ACCOUNT_CHANGED: "Details of the account were changed; `fields` names them.",
        Kind.ACCOUNT_SUSPENDED: "The operator suspended the account: nobody works in it.",
        Kind.ACCOUNT_RESUMED: "The account can be used again.",
        Kind.ACCOUNT_CLOSED: "The account was closed, for good. Nothing is told after this.",
        Kind.ACCOUNT_APPLICATION_GIVEN: "The account got an application.",
        Kind.ACCOUNT_APPLICATION_TAKEN: "The account no longer has an application.",
        Kind.COMPANY_CREATED: "A company was added.",
        Kind.COMPANY_CHANGED: "Details of a company were changed.",
        Kind.COMPANY_ARCHIVED: "A company was archived: nobody works in it.",
        Kind.COMPANY_RESTORED: "An archived company is back.",
        Kind.MEMBER_ADDED: "Somebody was added as a user.",
        Kind.MEMBER_CHANGED: "Name, phone or language of a user were changed.",
        Kind.MEMBER_ACCEPTED: "A user who had been added came in.",
        Kind.MEMBER_BLOCKED: "A user was blocked in this account.",
        Kind.MEMBER_UNBLOCKED: "A user is no longer blocked in this account.",
        Kind.MEMBER_REMOVED: "A user was removed.",
        Kind.MEMBER_LEFT: "A user left the account.",
        Kind.MEMBER_ROLES_CHANGED: "A user got or lost roles.",
        Kind.MEMBER_SIGNED_OUT: "A user's sessions were ended in this account.",
        Kind.MEMBER_INFORMED: "A user was sent the mail about their place again.",
        Kind.CLIENT_ADDED: "Somebody was added as a client.",
        Kind.CLIENT_CHANGED: "Name, phone or language of a client were changed.",
        Kind.CLIENT_BLOCKED: "A client was blocked in this account.",
        Kind.CLIENT_UNBLOCKED: "A client is no longer blocked in this account.",
        Kind.CLIENT_REMOVED: "A client was removed.",
        Kind.CLIENT_INFORMED: "A client was sent the mail about their place again.",
        Kind.ROLE_CREATED: "A role was added.",
        Kind.ROLE_CHANGED: "Name, permissions or rules of a role were changed.",
        Kind.ROLE_REMOVED: "A role was removed.",
        Kind.INVITATION_CREATED: "Somebody was invited.",
        Kind.INVITATION_ACCEPTED: "An invitation was accepted.",
        Kind.INVITATION_REVOKED: "An invitation was taken back.",
        Kind.INVITATION_DECLINED: "An invitation was declined by whoever got it.",
        Kind.API_KEY_CREATED: "An API key was made.",
        Kind.API_KEY_ROTATED: "An API key got a new secret.",
        Kind.API_KEY_REVOKED: "An API key was revoked.",
        Kind.WEBHOOK_DISABLED: "A webhook was switched off: `why` is `person`, `failing` or `gone`.",
    }
)
"""What happens to a person everywhere (`person.…`) is not an account's to hear."""
