"""The page's server without Kafka, in a thread of the test's process: the test says what comes."""

import asyncio
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from schemas.alert import Alert
from schemas.encoding import encode
from stream.broker_process import free_port
from stream.page.feed import Feed
from stream.page.health import Health
from stream.page.lag_watch import LagWatch, TopicLag
from stream.page.page_app import create_app, feed_of
from stream.page.topic_tails import Record, TopicTails
from stream.page.worker_watch import WorkerWatch
from stream.settings import Settings
from tests.page_messages import alert_records, bar, bar_records, portfolio_risk


@dataclass
class ServedPage:
    """A page that is served at `url`, and its feed, which lives in another thread."""

    url: str
    settings: Settings
    feed: Feed
    tails: TopicTails
    loop: asyncio.AbstractEventLoop

    def call(self, what: Callable[[], None]) -> None:
        """Do something in the server's thread, and wait until it is done."""

        async def run() -> None:
            what()

        asyncio.run_coroutine_threadsafe(run(), self.loop).result(30)

    def publish(self, *alerts: Alert) -> None:
        """Let alerts come."""
        self.call(lambda: self.feed.take(alert_records(alerts)))

    def take(self, records: list[Record]) -> None:
        """Let records come."""
        self.call(lambda: self.feed.take(records))


@contextmanager
def served_page(settings: Settings | None = None) -> Iterator[ServedPage]:
    """Serve an open page with symbols, a portfolio and a worker that is there, while the block lasts."""
    port, worker_port = free_port(), free_port()
    # Nothing listens for Kafka's protocol there.
    own = (settings or Settings()).model_copy(
        update={
            "broker": f"127.0.0.1:{free_port()}",
            "page_port": port,
            "workers": f"127.0.0.1:{worker_port}",
        }
    )
    feed = feed_of(own)
    tails = TopicTails(own.broker, feed.most_records, feed.take, feed.open)
    tails.waits_for = ""
    lag = LagWatch(own.broker, own.application_id)
    lag.topics, lag.broker_answers, lag.asked = [TopicLag("transactions", 4, 12, 7)], True, True
    workers = WorkerWatch(own.workers)
    health = Health(feed, tails, lag, workers)
    for symbol in ("EURUSD", "USDJPY"):
        feed.take(bar_records([bar(at, symbol, exceeded=at in (40, 90)) for at in range(120)]))
    feed.take([Record("portfolio-risk", 0, 0, 0, encode(portfolio_risk()))])
    feed.open()
    started = threading.Event()
    page: list[ServedPage] = []

    async def serve() -> None:
        runner = web.AppRunner(create_app(own, feed, health), handler_cancellation=True, shutdown_timeout=1.0)
        worker = web.AppRunner(_fake_worker())
        await runner.setup()
        await worker.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await web.TCPSite(worker, "127.0.0.1", worker_port).start()
        tasks = [asyncio.create_task(one()) for one in (workers.follow, health.follow)]
        page.append(ServedPage(f"http://127.0.0.1:{port}", own, feed, tails, asyncio.get_running_loop()))
        stop = asyncio.Event()
        stops.append(stop)
        started.set()
        await stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()
        await worker.cleanup()

    stops: list[asyncio.Event] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(30)
        yield page[0]
    finally:
        page[0].loop.call_soon_threadsafe(stops[0].set)
        thread.join(30)
    assert not thread.is_alive()


METRICS = """# TYPE riskstream_records_consumed counter
riskstream_records_consumed_total{{job="customers"}} {count}
# TYPE riskstream_events counter
riskstream_events_total{{job="merchants",event="scored"}} {count}
riskstream_events_total{{job="merchants",event="alerted"}} {alerts}
# TYPE riskstream_end_to_end_latency_seconds histogram
riskstream_end_to_end_latency_seconds_bucket{{job="customers",le="0.005"}} {half}
riskstream_end_to_end_latency_seconds_bucket{{job="customers",le="0.01"}} {count}
riskstream_end_to_end_latency_seconds_bucket{{job="customers",le="+Inf"}} {count}
# TYPE riskstream_bundle_info gauge
riskstream_bundle_info{{name="small",version="0123456789ab",model="network"}} 1
# TYPE riskstream_state_rows gauge
riskstream_state_rows{{job="customers",partition="0"}} 20
"""


def _fake_worker() -> web.Application:
    """Return a worker of which nothing is there but its metrics, which count on."""
    asked = [0]

    async def metrics(request: web.Request) -> web.Response:
        asked[0] += 1
        count = 1_000 * asked[0]
        return web.Response(text=METRICS.format(count=count, half=count / 2, alerts=count / 100))

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics)])
    return app


def read(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of a request; redirects are not followed."""
    opener = urllib.request.build_opener(_NoRedirect())
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with opener.open(urllib.request.Request(url, headers=names), timeout=30) as reply:
            return reply.status, dict(reply.headers), reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None
