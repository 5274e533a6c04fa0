"""What a replay found, as tables."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from rich.table import Table

from risk.decision import OUTCOMES
from stream.comparison import AlertQuality, Comparison, OutcomeTable
from stream.scored_kind import ScoredKind

QUANTILES = (0, 5, 25, 50, 75, 95, 100)
"""In percent."""


def comparison_tables(comparison: Comparison, kind: ScoredKind, version: str) -> Iterator[Table]:
    """Yield the tables of a comparison with what a bundle's version gave: of records if it published them itself."""
    if comparison.is_of(version):
        yield _records(comparison)
    else:
        yield _outcomes(kind.events, comparison.outcomes)
        yield _differences(comparison, kind)
    if comparison.published.frauds:
        yield _quality(comparison.published, comparison.rescored)


def _records(comparison: Comparison) -> Table:
    table = _table("published records against re-scored ones, byte for byte", "stream")
    for heading in ("equal", "different", "missing", "surplus", "unreadable"):
        table.add_column(heading, justify="right")
    for stream in comparison.compared_streams:
        found = comparison.records[stream]
        counts = (found.equal, found.different, found.missing, found.surplus, found.unreadable)
        table.add_row(stream, *(f"{count:,}" for count in counts))
    return table


def _outcomes(name: str, outcomes: OutcomeTable) -> Table:
    table = _table(
        f"{name}: {outcomes.newly_alerted:,} newly alerted, {outcomes.no_longer_alerted:,} no longer alerted",
        "published \\ re-scored",
    )
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    table.add_column("all", justify="right", style="dim")
    for was in OUTCOMES:
        row = [outcomes.count(was, now) for now in OUTCOMES]
        table.add_row(was, *(f"{count:,}" for count in (*row, sum(row))))
    columns = [sum(outcomes.count(was, now) for was in OUTCOMES) for now in OUTCOMES]
    table.add_row("all", *(f"{count:,}" for count in (*columns, outcomes.total)), style="dim")
    return table


def _differences(comparison: Comparison, kind: ScoredKind) -> Table:
    table = _table("re-scored less published, by quantile", "of")
    table.add_column("events", justify="right")
    for quantile in QUANTILES:
        table.add_column(f"{quantile} %", justify="right")
    differences = comparison.number_differences
    if len(differences):
        # Scores may be published for alerts alone.
        whole = comparison.records[kind.event_stream].published > 0
        name = kind.number if whole else f"{kind.number} of published alerts"
        table.add_row(name, f"{len(differences):,}", *_quantiles(differences))
    return table


def _quantiles(values: npt.NDArray[np.float64]) -> list[str]:
    return [f"{value:+.4f}" for value in np.percentile(values, QUANTILES)]


def _quality(published: AlertQuality, rescored: AlertQuality) -> Table:
    table = _table(f"alerts on transactions against labels: {published.frauds:,} known frauds", "")
    for heading in ("alerts", "frauds among them", "precision", "recall"):
        table.add_column(heading, justify="right")
    for name, quality in (("published", published), ("re-scored", rescored)):
        table.add_row(
            name, f"{quality.alerts:,}", f"{quality.hits:,}", _percent(quality.precision), _percent(quality.recall)
        )
    return table


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{fraction:.1%}"


def _table(title: str, first: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first, no_wrap=True)
    return table
