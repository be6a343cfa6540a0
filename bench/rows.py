"""The rows that are printed, and what each must reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A measurement by scenario name. Targets are ratios to the peer, or figures of their own."""

    scenario: str
    title: str
    must: float
    aim: float
    absolute: bool = False


# Requests or sign-ins a CPU-second of the whole server.
ROWS = (
    Row("client_credentials_es256", "client credentials, ES256", 1.0, 2.5),
    Row("client_credentials_rs256", "client credentials, RS256-2048", 1.0, 1.3),
    Row("private_key_jwt", "client credentials, private_key_jwt", 0.0, 0.0),
    Row("discovery", "discovery", 1.0, 3.0),
    Row("jwks", "JWKS", 1.0, 3.0),
    Row("introspection", "introspection", 0.5, 1.5),
    Row("userinfo", "userinfo", 0.5, 1.1),
    Row("refresh", "refresh with rotation, durable", 2000, 4000, absolute=True),
    Row("sign_in_again", "sign-in again over a live session", 0.6, 1.15),
)
SIGN_IN = "sign_in"
SIGN_IN_WITHOUT_HASH = Row(SIGN_IN, "complete sign-in, Argon2's share taken out", 0.7, 1.2)
# The hash alone is the limit.
WITH_HASH_MUST, WITH_HASH_AIM = 0.8, 0.9
ON_POSTGRESQL_MUST, ON_POSTGRESQL_AIM = 0.5, 0.8
MEMORY_MUST, MEMORY_AIM = 150.0, 130.0
COLD_START_MUST, COLD_START_AIM = 1.0, 0.7
SCENARIOS = (*(row.scenario for row in ROWS), SIGN_IN)
