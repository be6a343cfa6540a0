"""Flask's response, written out as it stands: nothing is looked for that our answers don't have."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Whatever may stand in an address (RFC 3986 §2); the rest has to be escaped first.
_WRITTEN = re.compile(r"[\w.~:/?#\[\]@!$&'()*+,;=%-]*", re.ASCII)


class Response(flask.Response):
    """What every program answers with. An address to go to is sent byte for byte."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        headers = self.headers.to_wsgi_list()
        said = {name.lower(): value for name, value in headers}
        if (
            environ["REQUEST_METHOD"] == "HEAD"
            or not isinstance(self.response, list)
            or self.status_code < 200
            or self.status_code in {204, 304}
            or not _WRITTEN.fullmatch(said.get("location", ""))
            or "content-location" in said
            or self._on_close
        ):
            return super().__call__(environ, start_response)
        body = self.get_data()
        if "content-length" not in said:
            headers.append(("Content-Length", str(len(body))))
        start_response(self.status, headers)
        return [body]
