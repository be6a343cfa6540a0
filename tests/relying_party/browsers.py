"""Browsers of the tests: they follow redirects between an application and the provider."""

import re
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.relying_party.strict_provider import StrictProvider


class Browser:
    """A browser in front of one application. Its requests carry the application's own host name."""

    def __init__(self, app: Flask, provider: StrictProvider) -> None:
        self.app = app
        self.provider = provider
        self.base = str(app.extensions["klucznik.origin"])
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.base, **options)

    def post(self, path: str, data: dict[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.post(path, base_url=self.base, data=data or {}, **options)

    def submit(self, page: TestResponse, path: str, **fields: str) -> TestResponse:
        """Send a form of this page, as its button would."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found, "the page has no form"
        return self.post(path, {"csrf_token": found[1], **fields})

    def begin(self, path: str = "/login") -> str:
        """Ask for a sign-in; returns the callback's address with the provider's answer."""
        sent_off = self.get(path)
        assert sent_off.status_code == 303, sent_off.text
        return self.provider.authorize(sent_off.location)

    def come_back(self, callback: str) -> TestResponse:
        """Open the callback's address."""
        parts = urlsplit(callback)
        return self.get(f"{parts.path}?{parts.query}")

    def sign_in(self, path: str = "/login") -> TestResponse:
        """The whole way."""
        response = self.come_back(self.begin(path))
        assert response.status_code == 303, response.text
        return response

    def is_signed_in(self) -> bool:
        """Whether the home page opens."""
        return self.get("/").status_code == 200
