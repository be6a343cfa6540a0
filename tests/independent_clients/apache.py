"""Debian's Apache with mod_auth_openidc: a page behind our sign-in, in a folder of its own."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

MODULES = Path("/usr/lib/apache2/modules")
BUILT_IN = "mpm_event authn_core authz_core authz_user dir mime headers setenvif env auth_openidc"
PROGRAM = shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "apache2"

CONFIGURATION = """\
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
LogLevel warn
{modules}
TypesConfig /etc/mime.types
DocumentRoot {folder}/pages
User {user}
Group {user}

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {redirect_uri}
OIDCCryptoPassphrase {passphrase}
OIDCPKCEMethod S256
OIDCScope "openid email profile"
OIDCRemoteUserClaim email
OIDCResponseMode query
OIDCPassClaimsAs environment

<Directory {folder}/pages>
    Require all granted
</Directory>
<Location /protected>
    AuthType openid-connect
    Require valid-user
    Header always set X-Signed-In "expr=%{{REMOTE_USER}}"
</Location>
"""


@contextlib.contextmanager
def protected_page(
    *, port: int, issuer: str, client_id: str, client_secret: str, redirect_uri: str
) -> Iterator[Path]:
    """Serve `/` for everybody and `/protected/` for who signed in; gives its folder."""
    with tempfile.TemporaryDirectory(prefix="klucznik-apache-") as name:
        folder = Path(name)
        # Started by root, Apache serves as another user, who has to get in here.
        folder.chmod(0o755)
        for page, words in {"": "Everybody may read this.", "protected": "A secret page."}.items():
            (folder / "pages" / page).mkdir(parents=True, exist_ok=True)
            (folder / "pages" / page / "index.html").write_text(f"<h1>{words}</h1>")
        modules = "\n".join(
            f"LoadModule {one}_module {MODULES}/mod_{one}.so" for one in BUILT_IN.split()
        )
        configuration = folder / "apache.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder,
                port=port,
                modules=modules,
                user="www-data" if os.geteuid() == 0 else "${USER}",
                issuer=issuer,
                client_id=client_id,
                client_secret=client_secret,
                redirect_uri=redirect_uri,
                passphrase="a-passphrase-of-the-test",
            )
        )
        process = subprocess.Popen(
            [PROGRAM, "-f", str(configuration), "-DFOREGROUND"],
            env={**os.environ, "APACHE_RUN_DIR": name, "no_proxy": "localhost"},
        )
        try:
            _wait(f"http://localhost:{port}/", process, folder)
            yield folder
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + 20
    while True:
        try:
            with opener.open(url, timeout=2):
                return
        except (URLError, OSError):
            errors = folder / "error.log"
            said = errors.read_text() if errors.exists() else "nothing"
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
