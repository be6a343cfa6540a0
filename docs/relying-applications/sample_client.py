"""A whole relying application in one file: sign-in and sign-out with Klucznik.

Try it against `make run`:

    .venv/bin/klucznik client create --name "Sample" --json \\
        --redirect-uri http://localhost:9100/callback \\
        --post-logout-redirect-uri http://localhost:9100/
    CLIENT_ID=… CLIENT_SECRET=… .venv/bin/python docs/relying-applications/sample_client.py

Then open http://localhost:9100. An application of your own needs `pip install flask authlib requests`.
"""

import os
import secrets
from html import escape
from urllib.parse import urlencode

from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, abort, redirect, request, session, url_for

ISSUER = os.environ.get("ISSUER", "http://localhost:9000")
PORT = int(os.environ.get("PORT", "9100"))

app = Flask(__name__)
# Cookies know no ports: a name of its own keeps this one apart from Klucznik's on localhost.
app.config.update(
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
    SESSION_COOKIE_NAME="sample_session",
    SESSION_COOKIE_SAMESITE="Lax",
)

klucznik = OAuth(app).register(
    "klucznik",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
)


@app.get("/")
def home():
    """Say who is signed in."""
    person = session.get("person")
    if person is None:
        return '<p>Nobody is signed in. <a href="/login">Sign in</a></p>'
    return (
        f"<p>Signed in as {escape(person['email'])}, whose ID is {escape(person['sub'])}.</p>"
        '<form method="post" action="/logout"><button>Sign out</button></form>'
    )


@app.get("/login")
def login():
    """Send the person to Klucznik. The library adds state, nonce and PKCE."""
    return klucznik.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    """Take the person back: check the answer, spend the code, keep who it is."""
    # RFC 9207: an answer of another provider must never be taken for this one's.
    if request.args.get("iss") != ISSUER:
        abort(400, "The answer is not from the provider that was asked.")
    try:
        # Checks state, signature, issuer, audience, times and nonce.
        token = klucznik.authorize_access_token()
    except OAuthError as refused:
        return f"<p>Not signed in: {escape(refused.error)}</p>", 400
    # The ID token says who it is and how they signed in; name and address are at /userinfo.
    claims = token["userinfo"]
    person = klucznik.userinfo(token=token)
    if person["sub"] != claims["sub"]:
        abort(400, "The provider speaks of two people.")
    # The key of a person is (iss, sub). The address is for showing.
    session.clear()
    session["person"] = {"sub": claims["sub"], "email": person["email"]}
    session["id_token"] = token["id_token"]
    return redirect(url_for("home"))


@app.post("/logout")
def logout():
    """End the session here, then the one at Klucznik, which ends all others."""
    id_token = session.pop("id_token", None)
    session.clear()
    words = {"post_logout_redirect_uri": url_for("home", _external=True)}
    if id_token:
        words["id_token_hint"] = id_token
    end = klucznik.load_server_metadata()["end_session_endpoint"]
    return redirect(f"{end}?{urlencode(words)}", code=303)


if __name__ == "__main__":
    app.run(host="localhost", port=PORT)
