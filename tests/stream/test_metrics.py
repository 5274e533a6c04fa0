import re

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from risk.fold import SymbolFigures
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
} | {"forecaster"}
UNITS = (
    *("_total", "_seconds", "_records", "_rows", "_info", "_percent_annualised", "_without_label"),
    *("_percent", "_exceedances", "_bars", "_p", "_zone", "_mase", "_ready"),
)


def test_names_follow_the_conventions() -> None:
    """Every metric has the project's prefix, a unit or `_total` at its end, a help text, and no label of a person."""
    metrics = Metrics(symbol_label_limit=3)
    collectors = {name: one for name, one in vars(metrics).items() if hasattr(one, "_labelnames")}
    assert len(collectors) > 15
    for one in collectors.values():
        name = one._name + ("_total" if one._type == "counter" else "")
        assert re.fullmatch(r"riskstream_[a-z_]+", name)
        assert name.endswith(UNITS), name
        assert one._documentation.endswith("."), name
        assert set(one._labelnames) <= LABELS


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
