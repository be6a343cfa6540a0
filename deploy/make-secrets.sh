#!/usr/bin/env bash
# Makes the secrets of compose.yaml in ./secrets, once: what is there already stays.
# Needs the image: docker compose build.
# Keep a copy apart from the databases' backup (docs/operators/keys.md).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
umask 077
mkdir -p secrets

key() { python3 -c 'import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="))'; }
write() { # name, text
  [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
}
client_key() { # name
  [ -e "secrets/$1" ] || docker run --rm --entrypoint python klucznik \
    -c 'from klucznik.home import new_client_key; print(new_client_key())' >"secrets/$1"
}

write secret_keys "$(key)"
write encryption_keys "$(key)"
write ledger_key "$(key)"
write smtp_password ""
write owner_password "$(key)"
write application_password "$(key)"
client_key portal_client_key
client_key crm_client_key

owner=$(cat secrets/owner_password)
application=$(cat secrets/application_password)
for program in identity portal crm; do
  write "${program}_database_url" "postgresql+psycopg://klucznik:$application@postgresql/$program"
  write "${program}_database_owner_url" "postgresql+psycopg://klucznik_owner:$owner@postgresql/$program"
done

# The containers' user reads them; nobody else on this host should enter this folder.
chmod 0644 secrets/*
chmod 0700 secrets
