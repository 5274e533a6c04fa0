"""The page as a web application: what it reads in the background, and what it answers."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from stream.page.access import Access
from stream.page.alert_explainer import AlertExplainer
from stream.page.api import Api, answer
from stream.page.event_stream import EventStream
from stream.page.feed import Feed
from stream.page.guard import add_headers, guard
from stream.page.health import Health
from stream.page.lag_watch import LagWatch
from stream.page.login import Login
from stream.page.request_error import RequestError
from stream.page.static_files import StaticFiles
from stream.page.topic_tails import TopicTails
from stream.page.transaction_history import TransactionHistory
from stream.page.worker_watch import WorkerWatch
from stream.settings import Settings

MOST_FORM_BYTES = 4_096


def feed_of(settings: Settings) -> Feed:
    """Return an empty feed of the settings' topics."""
    return Feed(
        alerts_topic=settings.topic("alerts"),
        volatility_topic=settings.topic("volatility"),
        portfolio_topic=settings.topic("portfolio-risk"),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """An application, and what runs beside it to fill what it shows: each runs until it is cancelled."""

    app: web.Application
    followers: tuple[Callable[[], Coroutine[Any, Any, None]], ...]


def create_page(settings: Settings) -> Page:
    """Return the page of the settings; raises AccessError where they would show it to strangers."""
    feed = feed_of(settings)
    tails = TopicTails(settings.broker, feed.most_records, feed.take, feed.open)
    lag = LagWatch(settings.broker, settings.application_id)
    workers = WorkerWatch(settings.workers)
    health = Health(feed, tails, lag, workers)
    return Page(create_app(settings, feed, health), (tails.follow, lag.follow, workers.follow, health.follow))


def create_app(settings: Settings, feed: Feed, health: Health) -> web.Application:
    """Return the application that shows a feed; raises AccessError as `create_page`."""
    access = Access(settings)
    files = StaticFiles()
    explainer = AlertExplainer(settings.bundle)
    history = TransactionHistory(settings.broker, settings.topic("transactions"))
    login = Login(access, files)
    app = web.Application(middlewares=[guard(access)], client_max_size=MOST_FORM_BYTES)
    app.on_response_prepare.append(add_headers)

    async def show_page(request: web.Request) -> web.Response:
        return files.page("index.html")

    async def show_live(request: web.Request) -> web.Response:
        return answer({"status": "ok"})

    async def show_ready(request: web.Request) -> web.Response:
        if not feed.is_open or health.waits_for:
            raise RequestError(503, "ready", health.waits_for, "wait until the page has read the topics")
        return answer({"status": "ok"})

    app.add_routes(
        [
            web.get("/", show_page),
            web.get("/login", login.show),
            web.post("/login", login.take),
            web.get("/static/{name}", files.serve),
            web.get("/live", show_live),
            web.get("/ready", show_ready),
            web.get("/events", EventStream(feed.log).serve, allow_head=False),
            *Api(feed, health, explainer, history).routes(),
        ]
    )

    async def let_readers_go(_: web.Application) -> None:
        feed.log.close()

    app.on_shutdown.append(let_readers_go)
    return app
