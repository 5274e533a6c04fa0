"""The monitor's pages: /metrics for Prometheus, /live and /ready for whoever keeps it running."""

from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


def monitor_pages(
    registry: CollectorRegistry, refresh: Callable[[], None], unread: Callable[[], int]
) -> web.Application:
    """Return the app that serves a registry's metrics; `refresh` brings them up to date before each answer.

    /live answers 200; /ready answers 200 when all that lay on the topics at the start is read, and 503 before.
    """

    async def serve_metrics(request: web.Request) -> web.Response:
        refresh()
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def serve_live(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def serve_ready(request: web.Request) -> web.Response:
        left = unread()
        body = {"status": "unavailable" if left else "ok", "unread_records": left}
        return web.json_response(body, status=503 if left else 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", serve_metrics), web.get("/live", serve_live), web.get("/ready", serve_ready)])
    return app
