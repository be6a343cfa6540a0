"""The peer: npm `oidc-provider`, served by `server.mjs`, which is ours. Its adapter is in memory."""

import json
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

from bench.scenarios import Machine, Side, Visitor

SECRET = "a-secret-of-the-peer-that-is-long-enough"
SCRIPT = Path(__file__).with_name("server.mjs")
PATHS = {
    "authorize": "/auth",
    "discovery": "/.well-known/openid-configuration",
    "introspection": "/token/introspection",
    "jwks": "/jwks",
    "token": "/token",
    "userinfo": "/me",
}


def configure(folder: Path, port: int) -> tuple[Side, Path]:
    """Make keys and clients; returns how to load it, and the file for the server script."""
    own: list[ECKey | RSAKey] = [
        ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}),
        RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"}),
    ]
    client_key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})
    for key in (*own, client_key):
        key.ensure_kid()
    path = folder / "peer.json"
    path.write_text(
        json.dumps(
            {
                "privateKeys": [key.as_dict(private=True) for key in own],
                "clientKeys": [client_key.as_dict(private=False)],
                "secret": SECRET,
            }
        )
    )
    side = Side(
        issuer=f"http://127.0.0.1:{port}",
        paths=PATHS,
        web=Machine("web", SECRET, ""),
        es256=Machine("machine", SECRET, "urn:bench:es256"),
        rs256=Machine("machine", SECRET, "urn:bench:rs256"),
        signed_client="signed-machine",
        signing_key=client_key,
        visitors=[Visitor(f"person{number}@klucznik.example", "-", {}) for number in range(16)],
    )
    return side, path
