"""Counters for the operator, in Prometheus' format, served on a port of their own.

With `PROMETHEUS_MULTIPROC_DIR` in the environment several processes add up to one page.
"""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from http.server import ThreadingHTTPServer

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    MetricsHandler,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

_NAMESPACE = "klucznik"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """Declare a counter, once, at the top of the module that counts. Labels are few and closed sets.

    Never a label that a client chooses: each value lives in memory for good.
    """
    return Counter(name, documentation, labels, namespace=_NAMESPACE)


def histogram(
    name: str, documentation: str, labels: Sequence[str] = (), buckets: Sequence[float] = _BUCKETS
) -> Histogram:
    """Declare a distribution of seconds or sizes."""
    return Histogram(name, documentation, labels, namespace=_NAMESPACE, buckets=buckets)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """Declare a value that goes up and down; over several processes the largest is shown."""
    return Gauge(name, documentation, labels, namespace=_NAMESPACE, multiprocess_mode="livemax")


_http_requests = counter(
    "http_requests_total", "Requests answered", ["program", "route", "method", "status"]
)
_http_seconds = histogram("http_request_seconds", "Time to answer", ["program", "route"])
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(*, program: str, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. `route` is the rule, never the path that was asked for."""
    known_method = method if method in _METHODS else "other"
    count, distribution = _series(program, route, known_method, status)
    count.inc()
    distribution.observe(seconds)


# As many as there are series: finding one by its labels costs more than counting.
@lru_cache(maxsize=5_000)
def _series(program: str, route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    return (
        _http_requests.labels(program, route, method, status),
        _http_seconds.labels(program, route),
    )


def exposition() -> bytes:
    """The metrics page."""
    return generate_latest(_registry())


def serve_metrics(port: int, *, address: str = "127.0.0.1") -> ThreadingHTTPServer:
    """Serve the page at `/metrics` from a thread; `.shutdown()` ends it."""
    handler = MetricsHandler.factory(_registry())
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _registry() -> CollectorRegistry:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
