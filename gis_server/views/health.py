"""Liveness, readiness, metrics."""

import os
from time import perf_counter

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from gis_server.journeys.health import readiness
from gis_server.views.current import ctx, json_answer, now, say

blueprint = Blueprint("health", __name__)

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_registry = CollectorRegistry()
_seconds = Histogram(
    "gis_http_request_seconds",
    "Time until the answer began, by route",
    ("method", "route"),
    buckets=BUCKETS,
    registry=_registry,
)
_answers = Counter(
    "gis_http_answers", "Answers, by route and status", ("method", "route", "status"), registry=_registry
)
open_streams = Gauge("gis_open_streams", "Open live streams", registry=_registry, multiprocess_mode="livesum")


def init_app(app: Flask) -> None:
    """Time every request."""
    app.register_blueprint(blueprint)

    @app.before_request
    def start() -> None:
        g.started = perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        # by rule, never by path: a scanner would make a new series with each guess
        route = request.url_rule.rule if request.url_rule is not None else "-"
        _seconds.labels(request.method, route).observe(perf_counter() - g.get("started", perf_counter()))
        _answers.labels(request.method, route, str(response.status_code)).inc()
        return response


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return json_answer({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Whether it can do its work: database, schema, published grids."""
    checks = readiness(ctx(), now())
    ready = not any(checks.values())
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {name: "ok" if reason is None else say(reason) for name, reason in checks.items()},
    }
    return json_answer(body, 200 if ready else 503)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text; of all worker processes if they share PROMETHEUS_MULTIPROC_DIR."""
    registry = _registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
