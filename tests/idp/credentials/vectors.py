"""Hashes of one password as other systems write them; `foreign_hashes.txt` has a kind a line.

Made with the libraries that those systems use: argon2-cffi, bcrypt, werkzeug, the standard library's
hashlib and, for SHA-crypt, the C library's own crypt.
"""

import json
from pathlib import Path

THEIRS = "cztery zielone parasole"
HASHES: list[tuple[str, str]] = [
    (kind, stored)
    for kind, _, stored in (
        line.partition(" ")
        for line in Path(__file__).with_name("foreign_hashes.txt").read_text().splitlines()
    )
]
BCRYPT = next(stored for kind, stored in HASHES if kind == "bcrypt")

# A credential of Keycloak's export, as its JSON has it: texts with JSON inside.
KEYCLOAK = json.dumps(
    {
        "type": "password",
        "secretData": json.dumps(
            {
                "value": "Pf/06vpPyWxbpOy/0tqCUNnmBQ/W/LsZLJLFiynEsL83rFCWUE7XBIeQ9M2MSHUv"
                "e+6wnM90WhPW2Rqr+1KxCw==",
                "salt": "c2l4dGVlbiBzYWx0IGJ5ZQ==",
                "additionalParameters": {},
            }
        ),
        "credentialData": json.dumps(
            {"hashIterations": 1200, "algorithm": "pbkdf2-sha512", "additionalParameters": {}}
        ),
    }
)
KEYCLOAK_ARGON2 = json.dumps(
    {
        "secretData": {
            "value": "6o6WrPy8sHBiRLnlVhUVmK8uRowKgWkC6oat64ruA5Q=",
            "salt": "c2l4dGVlbiBzYWx0IGJ5ZQ==",
        },
        "credentialData": {
            "hashIterations": 5,
            "algorithm": "argon2",
            "additionalParameters": {
                "hashLength": ["32"],
                "memory": ["7168"],
                "type": ["id"],
                "version": ["1.3"],
                "parallelism": ["1"],
            },
        },
    }
)
