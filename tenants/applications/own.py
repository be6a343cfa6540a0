"""The permissions of the identity program's own API: what may be done in an account itself."""

from tenants.applications.service import Declared

_ACCOUNT = "account"

PERMISSIONS = (
    Declared("account:manage", "Edit the account", "Edycja konta", _ACCOUNT),
    Declared("companies:read", "See companies", "Podgląd firm"),
    Declared("companies:manage", "Create and edit companies", "Tworzenie i edycja firm"),
    Declared("users:read", "See users", "Podgląd użytkowników"),
    Declared("users:manage", "Create and edit users", "Tworzenie i edycja użytkowników"),
    Declared("clients:read", "See clients", "Podgląd klientów"),
    Declared("clients:manage", "Create and edit clients", "Tworzenie i edycja klientów"),
    Declared("roles:read", "See roles and permissions", "Podgląd uprawnień", _ACCOUNT),
    Declared("roles:manage", "Edit roles and permissions", "Edycja uprawnień", _ACCOUNT),
    Declared("invitations:manage", "Invite users", "Zapraszanie użytkowników"),
    Declared("api-keys:manage", "Manage API keys", "Zarządzanie kluczami API", _ACCOUNT),
    Declared("webhooks:manage", "Manage webhooks", "Zarządzanie webhookami", _ACCOUNT),
    Declared("audit:read", "See the audit trail", "Podgląd dziennika zdarzeń", _ACCOUNT),
)
