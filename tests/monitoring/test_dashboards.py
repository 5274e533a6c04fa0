"""Dashboards and rules beside a service at work: everything that they ask is asked."""

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from panel_queries import chosen_all, chosen_some, dashboards, panel_queries, query_variables, replaced, values_of
from prometheus import Prometheus
from working_stream import working_stream

from stream.broker_process import BrokerProcess

WAIT_SECONDS = 90.0
SELECTOR = re.compile(r"\b(?:riskstream[:_][\w:]+|up\b)(?:\{[^}]*\})?")


@pytest.fixture(scope="module")
def watched(kafka: BrokerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Give the Prometheus of a service at work."""
    with working_stream(kafka, tmp_path_factory.mktemp("watched")) as source:
        yield source


def faults(asked: Iterable[str], fault: Callable[[str], str]) -> dict[str, str]:
    """Return what is wrong with which of those asked, once each has had time to come right, as a start takes some."""
    wrong = dict.fromkeys(asked, "not asked")
    deadline = time.monotonic() + WAIT_SECONDS
    while wrong and time.monotonic() < deadline:
        told = {one: fault(one) for one in wrong}
        wrong = {one: what for one, what in told.items() if what}
        if wrong:
            time.sleep(0.5)
    return wrong


def fault_of(source: Prometheus, expression: str) -> str:
    """Tell what is wrong with an expression's answer: nothing if it has series, and only finite values."""
    samples = source.query(expression)
    odd = [sample for sample in samples if not math.isfinite(sample.value)]
    return f"not finite: {odd}" if odd else "" if samples else "no series"


def rules(source: Prometheus) -> list[dict[str, Any]]:
    """Return the rules as Prometheus has loaded them."""
    return [rule for group in source.get("/api/v1/rules")["data"]["groups"] for rule in group["rules"]]


def test_every_variable_and_every_panel_has_an_answer(watched: Prometheus) -> None:
    """Variables have values; and each query of each panel gives finite series, for all values and for those chosen."""
    boards = dashboards()
    queries = {one["query"]["query"] for dashboard in boards.values() for one in query_variables(dashboard)}
    assert faults(queries, lambda query: "" if values_of(query, watched) else "no values") == {}
    expressions = {
        replaced(query.expression, choose(boards[query.dashboard], watched))
        for query in panel_queries()
        for choose in (chosen_all, chosen_some)
    }
    assert len(expressions) > 60
    assert faults(expressions, lambda one: fault_of(watched, one)) == {}


def test_every_recording_rule_records(watched: Prometheus) -> None:
    """What dashboards and alerts read is there, and finite."""
    recorded = {rule["name"] for rule in rules(watched) if rule["type"] == "recording"}
    assert len(recorded) > 10
    assert faults(recorded, lambda name: fault_of(watched, name)) == {}


def test_every_alerting_rule_reads_series_that_exist(watched: Prometheus) -> None:
    """Alerts rarely fire, so that each of their selectors is tried: one that finds nothing would never tell."""
    alerting = [rule for rule in rules(watched) if rule["type"] == "alerting"]
    assert len(alerting) > 10
    assert [rule["name"] for rule in alerting if rule["health"] == "err"] == []
    selectors = {one for rule in alerting for one in SELECTOR.findall(rule["query"])}
    assert len(selectors) > 10
    assert faults(selectors, lambda one: "" if watched.query(one) else "no series") == {}
