import os
import subprocess
import sys
import urllib.request

import pytest
import pytest_socket

from kernel.observability.metrics import count_request, exposition, serve_metrics
from tests.kernel.web.a_program import a_program


def test_requests_are_counted_by_route_method_and_status():
    client = a_program().test_client()
    client.get("/facts?a=b")
    client.get("/nowhere/at/all")

    page = exposition().decode()
    assert (
        'klucznik_http_requests_total{method="GET",program="kernel",route="/facts",status="200"}'
        in page
    )
    assert 'route="unknown",status="404"' in page
    assert "/nowhere/at/all" not in page
    assert (
        'klucznik_http_request_seconds_bucket{le="0.005",program="kernel",route="/facts"}' in page
    )


@pytest.mark.security("18.7")
def test_a_client_can_not_make_up_new_series():
    count_request(program="test", route="/", method="EVIL", status=405, seconds=0.1)

    page = exposition().decode()
    assert "EVIL" not in page
    assert 'method="other",program="test"' in page


SCRIPT = """
import sys
from kernel.observability.metrics import count_request, exposition
if sys.argv[1] == "count":
    count_request(program="many", route="/", method="GET", status=200, seconds=0.1)
else:
    sys.stdout.write(exposition().decode())
"""


def test_several_processes_add_up_to_one_page(tmp_path):
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(task: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, task],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    run("count")
    run("count")

    assert 'program="many",route="/",status="200"} 2.0' in run("show")


@pytest.mark.security("18.9")
def test_the_page_has_a_port_of_its_own(socket_enabled):
    pytest_socket.socket_allow_hosts(["127.0.0.1"])
    server = serve_metrics(0)
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/metrics"
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert b"klucznik_http_requests" in answer.read()
    finally:
        server.shutdown()
        server.server_close()

    assert a_program().test_client().get("/metrics").status_code == 404
