import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus import program
from prometheus_client import CollectorRegistry

from stream.metrics import Metrics
from stream.monitor.monitor_metrics import MonitorMetrics

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
TESTS = sorted((PROMETHEUS / "tests").glob("*.yml"))
DOCS = [ROOT / "docs" / "monitoring.md", *sorted((ROOT / "docs" / "runbooks").glob("*.md"))]
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
HEADINGS = ["What it means", "Who is hurt", "How to look", "What to do", "How to tell that it is over"]

Alert = tuple[str, str, str]
"""Name, severity and window, which tell an alert from the others."""


def run(tool: str, *arguments: str) -> None:
    """Run promtool or amtool, which must find nothing wrong."""
    ran = subprocess.run([program(tool), *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def rules(file: str, kind: str) -> list[dict[str, Any]]:
    """Return the rules of a file, those that have a `kind`, alert or record."""
    groups = yaml.safe_load((PROMETHEUS / "rules" / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def alerts() -> dict[Alert, dict[str, Any]]:
    """Return the rules of alerts."""
    found = rules("alerting.yml", "alert")
    by_name = {(rule["alert"], rule["labels"]["severity"], rule["labels"].get("window", "")): rule for rule in found}
    assert len(by_name) == len(found)
    return by_name


def cases(path: Path) -> list[dict[str, Any]]:
    """Return the cases of a file of promtool's tests."""
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())["tests"]
    return found


def labels_of(registry: CollectorRegistry) -> dict[str, set[str]]:
    """Return the labels of each series that the registry's collectors make, by the name that PromQL knows."""
    found: dict[str, set[str]] = {}
    for collector in registry._collector_to_names:
        name, kind, labels = collector._name, collector._type, set(collector._labelnames)  # type: ignore[attr-defined]
        if kind == "histogram":
            found |= {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
        else:
            found[f"{name}_total" if kind == "counter" else name] = labels
    return found


def exported() -> dict[str, set[str]]:
    """Return the labels of each series as Prometheus keeps it, by its name."""
    kept = {}
    for job, registry in (
        ("riskstream-worker", Metrics(symbol_label_limit=1).registry),
        ("riskstream-monitor", MonitorMetrics().registry),
    ):
        for name, labels in labels_of(registry).items():
            renamed = {"risk_job" if label == "job" else label for label in labels}
            kept[name] = renamed | {"job", "instance"}
            assert name.startswith("riskstream_"), job
    return kept


def recorded() -> set[str]:
    """Return the names of what is recorded."""
    return {rule["record"] for rule in rules("recording.yml", "record")}


def names_in(expression: str) -> set[str]:
    """Return the names of series of ours in an expression."""
    return set(re.findall(r"\briskstream[_:][a-zA-Z0-9_:]*", expression))


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression of rules and of the documentation, with where it stands."""
    for file, kind in (("recording.yml", "record"), ("alerting.yml", "alert")):
        for rule in rules(file, kind):
            yield rule[kind], rule["expr"]
    for path in DOCS:
        for expression in re.findall(r"```promql\n(.*?)```", path.read_text(), re.DOTALL):
            yield path.name, expression


def test_prometheus_takes_configuration_and_rules() -> None:
    """The configuration, and the rules that it names, are valid."""
    run("promtool", "check", "config", str(PROMETHEUS / "prometheus.yml"))


def test_alertmanager_takes_its_configuration() -> None:
    """The configuration is valid."""
    run("amtool", "check-config", str(ROOT / "deploy" / "alertmanager" / "alertmanager.yml"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_give_what_their_tests_say(path: Path) -> None:
    """Each rule gives what it should, and each alert fires above its bound and not at it."""
    run("promtool", "test", "rules", str(path))


def test_each_alert_has_a_test_that_fires_it_and_one_that_does_not() -> None:
    """No alert is without a case in which it fires, nor its name without one in which nothing does."""
    fired: set[Alert] = set()
    quiet: set[str] = set()
    for path in TESTS:
        for case in cases(path):
            for check in case.get("alert_rule_test", ()):
                for one in check["exp_alerts"]:
                    labels = one["exp_labels"]
                    fired.add((check["alertname"], labels["severity"], labels.get("window", "")))
                if not check["exp_alerts"]:
                    quiet.add(check["alertname"])
    assert fired == set(alerts())
    assert quiet == {name for name, _, _ in alerts()}


def test_everything_recorded_has_a_test() -> None:
    """No recorded series is without a case that says what it is."""
    tried = {
        name
        for path in TESTS
        for case in cases(path)
        for check in case.get("promql_expr_test", ())
        for name in names_in(check["expr"])
    }
    assert tried == recorded()


def test_each_alert_says_what_whose_and_where_help_is() -> None:
    """Each has a severity, a summary, a description, and a runbook of its own name with every section."""
    for (name, severity, _), rule in alerts().items():
        assert severity in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}, name
        page = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
        assert rule["annotations"]["runbook_url"] == f"runbooks/{page}/"
        text = (ROOT / "docs" / "runbooks" / f"{page}.md").read_text()
        assert text.startswith(f"# {name}: ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS, name


def test_each_runbook_is_of_an_alert_and_in_the_index() -> None:
    """No page is left over from an alert that is gone, and the index names each."""
    pages = {path.name for path in DOCS[1:]} - {"index.md"}
    assert pages == {f"{rule['annotations']['runbook_url'].split('/')[1]}.md" for rule in alerts().values()}
    index = (ROOT / "docs" / "runbooks" / "index.md").read_text()
    assert {name for name in pages if f"({name})" in index} == pages


def test_what_is_read_is_exported_or_recorded() -> None:
    """No rule and no page reads a series that neither the workers nor the monitor nor a rule makes."""
    known = exported().keys() | recorded()
    for place, expression in expressions():
        assert names_in(expression) <= known, place


def test_series_that_rules_are_tried_on_are_those_exported() -> None:
    """The series in the cases have just the labels that workers and monitor give them, and rules read no others."""
    known = exported() | OF_PROMETHEUS
    tried = set()
    for path in TESTS:
        for case in cases(path):
            for series in case["input_series"]:
                name, labels = re.fullmatch(r"(\w+)\{(.*)\}", series["series"]).groups()  # type: ignore[union-attr]
                assert set(re.findall(r"(\w+)=", labels)) == known[name], series["series"]
                tried.add(name)
    of_rules = [*rules("recording.yml", "record"), *rules("alerting.yml", "alert")]
    assert {name for rule in of_rules for name in names_in(rule["expr"])} - recorded() <= tried


def test_expressions_in_the_documentation_are_valid(tmp_path: Path) -> None:
    """Whoever copies an expression from a page gets an answer, not an error."""
    shown = [{"record": f"shown_{at}", "expr": expression} for at, (_, expression) in enumerate(expressions())]
    assert len(shown) > 80
    file = tmp_path / "shown.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": shown}]}))
    run("promtool", "check", "rules", str(file))
