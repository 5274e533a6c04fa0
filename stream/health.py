"""The worker's pages: /metrics for Prometheus, /live and /ready for whoever keeps it running."""

import json
from collections.abc import Mapping

import faust
from faust.types.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream.jobs import Jobs
from stream.metrics import Metrics


def add_pages(app: faust.App, jobs: Jobs, metrics: Metrics) -> None:
    """Serve the pages on the app's web server.

    /live answers 200 while the worker has not failed; /ready answers 200 when the state of every partition that is
    assigned to it is restored, and 503 before.
    """

    @app.page("/metrics")
    async def serve_metrics(view: View, request: Request) -> Response:
        metrics.outbox_records.set(jobs.backlog_records)
        metrics.ready.set(jobs.ready and jobs.assigned_once)
        return view.bytes(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.page("/live")
    async def serve_live(view: View, request: Request) -> Response:
        return _answer(view, jobs.failure is None, {"failed": jobs.failure is not None})

    @app.page("/ready")
    async def serve_ready(view: View, request: Request) -> Response:
        body = {"partitions": jobs.held, "restored": jobs.restored, "restoring_records": jobs.restoring_records}
        return _answer(view, jobs.ready and jobs.assigned_once, body)


def _answer(view: View, good: bool, body: Mapping[str, object]) -> Response:
    return view.bytes(
        json.dumps({"status": "ok" if good else "unavailable", **body}).encode(),
        content_type="application/json",
        status=200 if good else 503,
    )
