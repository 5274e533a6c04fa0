"""The page's answers in JSON, for its own scripts and for programs."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from stream.page.alert_explainer import AlertExplainer
from stream.page.alert_filter import ENTITY_KINDS, filter_of
from stream.page.feed import Feed
from stream.page.health import Health
from stream.page.kept_alerts import KeptAlert
from stream.page.request_error import RequestError
from stream.page.transaction_history import TransactionHistory

DEFAULT_LIMIT = 100
MOST_LIMIT = 500
SHOWN_OTHER_ALERTS = 20
COMPRESSED_FROM_BYTES = 2_048


class Api:
    """The handlers below /api; each answers with JSON, or raises RequestError."""

    def __init__(self, feed: Feed, health: Health, explainer: AlertExplainer, history: TransactionHistory) -> None:
        self._feed = feed
        self._health = health
        self._explainer = explainer
        self._history = history

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/api/alerts", self.alerts),
            web.get("/api/alerts/{id}", self.alert),
            web.get("/api/entities/{kind}/{id}/history", self.entity_history),
            web.get("/api/symbols", self.symbols),
            web.get("/api/symbols/{symbol}/series", self.series),
            web.get("/api/portfolios", self.portfolios),
            web.get("/api/health", self.health),
        ]

    async def alerts(self, request: web.Request) -> web.Response:
        """Answer with rows of alerts, the newest first; `before` of one answer asks for the next."""
        wanted = filter_of(request.query)
        limit = _number(request.query, "limit", DEFAULT_LIMIT, 1, MOST_LIMIT)
        before = _number(request.query, "before", 0, 1, 2**63 - 1) or None
        rows, following = self._feed.alerts.page(wanted, before=before, limit=limit)
        return answer(
            {
                "alerts": rows,
                "before": following,
                "kept": len(self._feed.alerts),
                "run": self._feed.log.run,
                "sequence": self._feed.log.sequence,
                "waits_for": self._health.waits_for,
            }
        )

    async def alert(self, request: web.Request) -> web.Response:
        """Answer with one alert and its explanation."""
        kept = self._kept(request.match_info["id"], "id")
        return answer(await asyncio.to_thread(self._explainer.detail, kept.alert, kept.row.arrived_ms))

    async def entity_history(self, request: web.Request) -> web.Response:
        """Answer with what came before: a customer's transactions, a symbol's bars; and its other alerts."""
        kind, entity_id = request.match_info["kind"], request.match_info["id"]
        if kind not in ENTITY_KINDS:
            raise RequestError(404, "kind", kind, f"choose from {', '.join(ENTITY_KINDS)}")
        others = self._feed.alerts.of_entity(kind, entity_id, SHOWN_OTHER_ALERTS + 1)
        asked = request.query.get("alert")
        shown = asked or (others[0].alert_id if others else "")
        body: dict[str, Any] = {
            "entity_kind": kind,
            "entity_id": entity_id,
            "alerts": [row for row in others if row.alert_id != shown][:SHOWN_OTHER_ALERTS],
        }
        if kind == "customer" and shown:
            alert = self._kept(shown, "alert").alert
            if (alert.entity_kind, alert.entity_id) != (kind, entity_id):
                raise RequestError(400, "alert", shown, "name an alert on this customer")
            body["transactions"] = await self._history.before(alert.source, entity_id)
        elif kind == "customer":
            raise RequestError(404, "id", entity_id, "name a customer on whom an alert is kept")
        elif kind == "symbol":
            body["bars"] = self._feed.bars.bars(entity_id) or []
        return answer(body)

    async def symbols(self, request: web.Request) -> web.Response:
        """Answer with the figures of every symbol."""
        return answer({"symbols": self._feed.bars.symbols()})

    async def series(self, request: web.Request) -> web.Response:
        """Answer with a symbol's bars, the oldest first."""
        symbol = request.match_info["symbol"]
        bars = self._feed.bars.bars(symbol)
        if bars is None:
            raise RequestError(404, "symbol", symbol, "choose one of /api/symbols")
        return answer({"symbol": symbol, "bars": bars})

    async def portfolios(self, request: web.Request) -> web.Response:
        """Answer with the figures of every portfolio."""
        names = sorted(self._feed.portfolios)
        return answer({"portfolios": [self._feed.portfolios[name] for name in names]})

    async def health(self, request: web.Request) -> web.Response:
        """Answer with how far workers are behind, how fast they are, and how the page itself is."""
        return answer(self._health.state())

    def _kept(self, alert_id: str, field: str) -> KeptAlert:
        kept = self._feed.alerts.get(alert_id)
        if kept is None:
            raise RequestError(
                404, field, alert_id, f"choose one of the last {len(self._feed.alerts):,}; `riskstream explain` has all"
            )
        return kept


def answer(content: Any) -> web.Response:
    """Return an answer in JSON."""
    response = web.Response(body=msgspec.json.encode(content), content_type="application/json")
    if len(response.body or b"") >= COMPRESSED_FROM_BYTES:  # type: ignore[arg-type]
        response.enable_compression()
    return response


def _number(query: Mapping[str, str], field: str, default: int, least: int, most: int) -> int:
    text = query.get(field)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise RequestError(400, field, text, f"give a number from {least} to {most}")
    return int(text)
