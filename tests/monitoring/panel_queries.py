"""The queries of the dashboards as Grafana would send them: variables replaced by what a reader has chosen."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus import Prometheus

DASHBOARDS = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards"

# With records read every 15 s Grafana looks back four times as far; an hour is the time that the dashboards show.
BUILT_IN = {"__rate_interval": "1m", "__range": "1h"}


@dataclass(frozen=True)
class PanelQuery:
    """A panel's query before variables are replaced, and where it stands."""

    dashboard: str
    panel: str
    expression: str
    legend: str


def dashboards() -> dict[str, dict[str, Any]]:
    """Return the dashboards as they are committed, by the name of their file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a dashboard's panels without the headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def panel_queries() -> Iterator[PanelQuery]:
    """Give every query of every panel."""
    for name, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield PanelQuery(name, panel["title"], target["expr"], target["legendFormat"])


def query_variables(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the variables whose values a query gives."""
    return [variable for variable in dashboard["templating"]["list"] if variable["type"] == "query"]


def values_of(query: str, source: Prometheus) -> list[str]:
    """Return the values that a variable's query gives, `label_values(metric, label)`, asked as Grafana asks it."""
    named = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert named is not None, query
    values: list[str] = source.get(f"/api/v1/label/{named[2]}/values", **{"match[]": named[1]})["data"]
    return values


def chosen_all(dashboard: Mapping[str, Any], source: Prometheus) -> dict[str, str]:
    """Return what variables stand for when a dashboard is opened: all, or the first value where one is chosen."""
    return {
        variable["name"]: variable["allValue"]
        if variable["includeAll"]
        else values_of(variable["query"]["query"], source)[0]
        for variable in query_variables(dashboard)
    }


def chosen_some(dashboard: Mapping[str, Any], source: Prometheus) -> dict[str, str]:
    """Return what variables stand for when the reader has chosen: every value by name, or the last of which one is."""
    return {
        variable["name"]: "("
        + "|".join(_escaped(value) for value in values_of(variable["query"]["query"], source))
        + ")"
        if variable["includeAll"]
        else values_of(variable["query"]["query"], source)[-1]
        for variable in query_variables(dashboard)
    }


def replaced(expression: str, chosen: Mapping[str, str]) -> str:
    """Return an expression with its variables replaced; fails on one that nobody knows."""
    return re.sub(r"\$(\w+)", lambda name: {**BUILT_IN, **chosen}[name[1]], expression)


def _escaped(value: str) -> str:
    """Return a value as Grafana puts it into a pattern within a string of PromQL."""
    return re.sub(r"([\\^$*+?.()|\[\]{}])", r"\\\\\1", value)
