"""The API itself, and the words that its operations share."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kernel.api import Api

api = Api(
    "api",
    prefix="/api/v1",
    title="Klucznik API",
    version="1",
    words="Accounts, their companies, users and roles, for the programs that work with them. "
    "JSON goes both ways; times are in UTC; identifiers never return.",
)

ME = api.about(
    "Me", "The person whose token it is: where they are at home, and what they may there."
)
ACCOUNT = api.about("Accounts", "A firm or office that uses the product («konto firmy»).")
COMPANY = api.about("Companies", "What an account works for («firmy»). The first is the main one.")
USER = api.about("Users", "The members of an account («użytkownicy»), and what they may.")
CLIENT = api.about("Clients", "An account's customers, who open its client panel («klienci»).")
ROLE = api.about("Roles", "An account's own sets of permissions («uprawnienia»).")
INVITATION = api.about(
    "Invitations", "A place in an account that waits for whoever proves the address."
)
API_KEY = api.about("API keys", "Keys of an account's own programs («klucze API»).")
WEBHOOK = api.about("Webhooks", "Signed messages about what happens in an account, and their log.")
AUDIT = api.about("Audit trail", "Who did what to what in an account, when and from where.")

AccountId = Annotated[
    str,
    StringConstraints(pattern="^[0-9a-f]{12}$"),
    Field(description="The account's ID: 12 hex digits", examples=["0f3a9c51b2d4"]),
]
CompanyId = Annotated[
    str,
    StringConstraints(pattern="^[0-9a-f]{16}$"),
    Field(description="The company's key: 16 hex digits", examples=["7c1e0a94d35f8b62"]),
]


def schemes(server: str) -> dict[str, Any]:
    """How programs prove themselves, as OpenAPI says it."""
    token = f"{server}/token"
    return {
        "person": {
            "type": "oauth2",
            "description": "An access token for the audience "
            f"{server}/api, in the account that the person chose",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{server}/authorize",
                    "tokenUrl": token,
                    "scopes": {"accounts": "Act in the account for the person"},
                }
            },
        },
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the account: kl_<account>_<secret>",
        },
        "client": {
            "type": "oauth2",
            "description": "An application's own access token",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": token,
                    "scopes": {"provisioning": "Create and block people in accounts"},
                }
            },
        },
    }


def at(path: str) -> str:
    """The address of something under this path."""
    return f"{api.prefix}{path}"
