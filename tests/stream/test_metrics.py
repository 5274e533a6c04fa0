import re

import numpy as np
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from risk.fold import SymbolFigures
from risk.reference import BINS, BinShares, Reference
from stream.metric_facts import metric_facts
from stream.metrics import Metrics

LABELS = {
    "job",
    "event",
    "reason",
    "stream",
    "stage",
    "topic",
    "partition",
    "name",
    "version",
    "model",
    "symbol",
    "le",
    "forecaster",
    "kind",
    "bin",
    "feature",
}
UNITS = (
    *("_total", "_seconds", "_records", "_rows", "_info", "_percent_annualised", "_without_label"),
    *("_percent", "_exceedances", "_bars", "_p", "_zone", "_mase", "_share", "_ready"),
)


def test_names_follow_the_conventions() -> None:
    """Every metric has the project's prefix, a unit or `_total` at its end, a help text, and no label of a person."""
    metrics = Metrics(symbol_label_limit=3)
    facts = list(metric_facts(metrics.registry))
    assert len(facts) == len([one for one in vars(metrics).values() if hasattr(one, "_labelnames")]) > 15
    for one in facts:
        assert re.fullmatch(r"riskstream_[a-z_]+", one.name)
        assert one.name.endswith(UNITS), one.name
        assert one.help.endswith("."), one.name
        assert set(one.labels) <= LABELS


def figures(percent: float) -> SymbolFigures:
    """Return a symbol's figures of some volatility."""
    return SymbolFigures(percent, 2.0, 250, 3, 0.7, 0, {"arima": 0.9})


def test_symbols_are_shown_up_to_the_limit_and_the_others_counted() -> None:
    """A market of many symbols cannot flood the metrics."""
    metrics = Metrics(symbol_label_limit=3)
    for turn in range(2):
        for number in range(10):
            metrics.show_symbol(f"S{number}", figures(10.0 * turn + number))
    families = {one.name: one for one in text_string_to_metric_families(generate_latest(metrics.registry).decode())}
    shown = families["riskstream_volatility_percent_annualised"].samples
    assert {sample.labels["symbol"]: sample.value for sample in shown} == {"S0": 10.0, "S1": 11.0, "S2": 12.0}
    mase = families["riskstream_forecast_mase"].samples
    assert {(one.labels["symbol"], one.labels["forecaster"]): one.value for one in mase} == {
        (f"S{number}", "arima"): 0.9 for number in range(3)
    }
    assert families["riskstream_symbols_without_label"].samples[0].value == 7


def test_the_faults_of_a_job_are_shown_before_there_are_any() -> None:
    """Rules alert on the rise of these counters, which begins at 0."""
    metrics = Metrics(symbol_label_limit=3)
    metrics.show_job("customers")
    text = generate_latest(metrics.registry).decode()
    assert 'riskstream_records_consumed_total{job="customers"} 0.0' in text
    assert 'riskstream_processing_failures_total{job="customers"} 0.0' in text
    assert 'riskstream_records_rejected_total{job="customers",reason="not_json"} 0.0' in text


def test_a_partition_that_left_is_no_longer_shown() -> None:
    """Lag, checkpoint time and rows of a partition go when it goes; those of others stay."""
    metrics = Metrics(symbol_label_limit=3)
    metrics.show_lag({("transactions", 0): 5, ("transactions", 1): 5})
    for partition in ("0", "1"):
        metrics.checkpoint_time.labels("customers", partition).set(5)
        metrics.state_rows.labels("customers", partition).set(5)
    metrics.forget_partition("customers", 0)
    metrics.show_lag({("transactions", 1): 7})
    text = generate_latest(metrics.registry).decode()
    assert 'partition="0"' not in text
    assert text.count('partition="1"') == 3


def test_bins_are_shown_from_zero_and_raised_by_the_chunk() -> None:
    """Every bin of the reference has a count of 0 before the first event, and no bin that it lacks ever shows."""
    metrics = Metrics(symbol_label_limit=3)
    halves, whole = BinShares((0.5,), (0.25, 0.75)), BinShares((), (0.9,), missing=0.1)
    metrics.show_reference(Reference(100, halves, {"is_night": whole, "amount": halves}), ["amount", "is_night"])
    value = metrics.registry.get_sample_value
    for bin_of in ("0", "1"):
        assert value("riskstream_scores_total", {"bin": bin_of}) == 0
    assert value("riskstream_scores_total", {"bin": "2"}) is None
    assert value("riskstream_score_reference_share", {"bin": "1"}) == 0.75
    assert value("riskstream_feature_reference_share", {"feature": "is_night", "bin": "missing"}) == 0.1
    counts = np.zeros((3, BINS + 1), dtype=np.int64)
    counts[0, :2], counts[1, :2], counts[2, [0, BINS]] = (1, 4), (2, 3), (3, 2)
    for _ in range(2):
        metrics.add_bin_counts(counts)
    assert value("riskstream_scores_total", {"bin": "1"}) == 8
    assert value("riskstream_feature_values_total", {"feature": "amount", "bin": "0"}) == 4
    assert value("riskstream_feature_values_total", {"feature": "is_night", "bin": "missing"}) == 4
    assert value("riskstream_feature_values_total", {"feature": "is_night", "bin": "1"}) is None


def test_without_a_reference_there_is_nothing_to_watch_against() -> None:
    """A worker with a bundle of a former release shows no bins at all."""
    text = generate_latest(Metrics(symbol_label_limit=3).registry).decode()
    assert "bin=" not in text


def test_a_source_is_as_fresh_as_its_newest_record() -> None:
    """A partition that is behind the others does not make its topic look older."""
    metrics = Metrics(symbol_label_limit=3)
    for seconds in (-0.001, 20.0, 10.0):
        metrics.show_source_time("transactions", seconds)
    assert metrics.registry.get_sample_value("riskstream_source_timestamp_seconds", {"topic": "transactions"}) == 20.0
    assert metrics.registry.get_sample_value("riskstream_source_timestamp_seconds", {"topic": "labels"}) is None
