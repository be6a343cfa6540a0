import json

import pytest

from kernel.observability.metrics import exposition
from tests.kernel.web.a_program import a_program


@pytest.fixture
def client():
    return a_program().test_client()


def report(client, directive: object):
    body = json.dumps({"csp-report": {"effective-directive": directive, "blocked-uri": "x"}})
    return client.post("/csp-report", data=body, content_type="application/csp-report")


@pytest.mark.security("14.2")
def test_a_report_is_counted(client):
    assert report(client, "script-src-elem").status_code == 204

    assert b'csp_violations_total{directive="script-src-elem"}' in exposition()


def test_what_a_stranger_writes_is_not_kept(client, capsys):
    assert report(client, "evil\nline s3cret").status_code == 204

    assert b"evil" not in exposition()
    assert "evil" not in capsys.readouterr().out


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"csp-report": 1}', b"[" * 16_000])
def test_what_is_no_report_is_refused(client, body):
    assert client.post("/csp-report", data=body).status_code == 400
