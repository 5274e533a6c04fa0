"""The dashboards as files: whole, legible, and about metrics that exist."""

import itertools
import json
import re
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from panel_queries import DASHBOARDS, dashboards, panel_queries, panels, query_variables

from deploy.grafana.write_dashboards import dashboards as made
from deploy.grafana.write_dashboards import rendered
from stream.metric_facts import metric_facts
from stream.metrics import Metrics
from stream.monitor.monitor_metrics import MonitorMetrics

GRAFANA = DASHBOARDS.parent
PROMETHEUS = GRAFANA.parent / "prometheus"
NAME = re.compile(r"\b(?:riskstream[:_][\w:]+|up\b)")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {"s", "ops", "percent", "percentunit", "short", "none"}

each = pytest.mark.parametrize("name", sorted(dashboards()))


def labels_by_name() -> dict[str, set[str]]:
    """Return the labels of each series that Prometheus has of the service, those of recording rules too."""
    found = {"up": {"job", "instance"}}
    for metrics in (Metrics(symbol_label_limit=1), MonitorMetrics()):
        for fact in metric_facts(metrics.registry):
            # The worker's own label `job` gives way to Prometheus's.
            labels = {"risk_job" if label == "job" else label for label in fact.labels} | {"job", "instance"}
            suffixes = ("_bucket", "_count", "_sum") if fact.type == "histogram" else ("",)
            found |= {fact.name + suffix: labels | ({"le"} if suffix == "_bucket" else set()) for suffix in suffixes}
    groups = yaml.safe_load((PROMETHEUS / "rules" / "recording.yml").read_text())["groups"]
    for rule in (rule for group in groups for rule in group["rules"]):
        kept = {label for by in re.findall(r"\bby \(([^)]*)\)", rule["expr"]) for label in re.findall(r"\w+", by)}
        inner = [found[name] for name in NAME.findall(rule["expr"]) if name.startswith("riskstream:")]
        found[rule["record"]] = kept.union(*inner)
    return found


def labels_in(expression: str) -> set[str]:
    """Return the labels that an expression selects or groups by."""
    selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    grouped = re.findall(r"\b(?:by|on|ignoring|without|group_left)\s*\(([^)]*)\)", expression)
    return {*selected, *(label for group in grouped for label in re.findall(r"\w+", group))}


def labels_shown(legend: str) -> set[str]:
    """Return the labels in the name of a series."""
    return set(re.findall(r"{{(\w+)}}", legend))


def without_empty(value: Any) -> Any:
    """Return JSON without the empty objects in it, which say nothing."""
    if isinstance(value, dict):
        return {name: without_empty(one) for name, one in value.items() if one != {}}
    return [without_empty(one) for one in value] if isinstance(value, list) else value


def test_the_files_are_what_the_code_makes() -> None:
    """Who changes the code writes the files anew: `python -m deploy.grafana.write_dashboards`; none is left over."""
    written = {path.stem: path.read_text() for path in DASHBOARDS.iterdir()}
    assert written == {name: rendered(dashboard) for name, dashboard in made().items()}


@each
def test_a_dashboard_is_one_to_the_library_of_grafana(name: str) -> None:
    """Read by the types of Grafana's own library, nothing of it is lost or unknown."""
    register_default_plugins()
    content = dashboards()[name]
    again = json.loads(json.dumps(Dashboard.from_json(content), cls=JSONEncoder))
    assert without_empty(again) == without_empty(content)


@each
def test_a_dashboard_is_found_and_linked(name: str) -> None:
    """It has an address of its own that stays, the tag by which the others link to it, and the usual refresh."""
    dashboard = dashboards()[name]
    expected = {
        "service-health": "riskstream-health",
        "risk-overview": "riskstream-risk",
        "market": "riskstream-market",
        "model": "riskstream-model",
    }
    assert dashboard["uid"] == expected[name]
    assert (dashboard["tags"], dashboard["refresh"]) == (["riskstream"], "10s")
    assert [(link["type"], link["tags"], link["keepTime"]) for link in dashboard["links"]] == [
        ("dashboards", ["riskstream"], True)
    ]
    assert dashboard["templating"]["list"][0]["type"] == "datasource"


@each
def test_panels_lie_in_the_grid_and_do_not_overlap(name: str) -> None:
    """Each has a number and cells of its own, within 24 columns."""
    placed = dashboards()[name]["panels"]
    assert len({panel["id"] for panel in placed}) == len(placed)
    taken: set[tuple[int, int]] = set()
    for panel in placed:
        at = panel["gridPos"]
        cells = set(itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])))
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


@each
def test_a_panel_says_what_it_shows(name: str) -> None:
    """It has a title of its own, a description, a unit, the chosen data source, and named series."""
    shown = panels(dashboards()[name])
    assert len({panel["title"] for panel in shown if panel["type"] != "stat"}) > 5
    for panel in shown:
        assert len(panel["description"]) > 60, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["datasource"] == SOURCE
        assert all(target["datasource"] == SOURCE and target["legendFormat"] for target in panel["targets"])


@each
def test_variables_are_used_and_known(name: str) -> None:
    """Each variable is in some query, and each that a query names is defined."""
    dashboard = dashboards()[name]
    defined = {variable["name"] for variable in query_variables(dashboard)}
    used = {
        variable
        for query in panel_queries()
        if query.dashboard == name
        for variable in re.findall(r"\$(\w+)", query.expression)
    }
    assert used - {"__rate_interval", "__range"} == defined


def test_metrics_and_labels_exist() -> None:
    """Every name in a query, and every label that it selects, groups by or shows, is one that is exported."""
    known = labels_by_name()
    asked = [(one.expression, labels_in(one.expression) | labels_shown(one.legend)) for one in panel_queries()]
    for dashboard in dashboards().values():
        for variable in query_variables(dashboard):
            query = variable["query"]["query"]
            asked.append((query, {query.rstrip(")").split(", ")[1]}))
    assert len(asked) > 60
    for expression, labels in asked:
        names = NAME.findall(expression)
        assert names
        assert set(names) <= known.keys(), expression
        assert labels <= set().union(*(known[one] for one in names)), expression


def test_grafana_finds_the_data_source_and_the_dashboards() -> None:
    """It is told of Prometheus by the address of the compose file, read as often as Prometheus itself does."""
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]
    interval = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert (source["uid"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["jsonData"]["timeInterval"] == interval
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/riskstream.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
