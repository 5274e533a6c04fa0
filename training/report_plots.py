"""The drawings of an evaluation's report."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import PercentFormatter

from training.curves import Curve, Histogram, Reliability
from training.drift import Drift
from training.html_page import Html
from training.importance import Importance
from training.inline_svg import FAINT, SERIES, drawing, inline_svg
from training.learning_curve import LearningPoint
from training.prequential import Prequential

BARS = 15
"""The most features that a drawing shows; the table beside it has them all."""
_LABEL_CHARACTERS = 30
FIGURES = {"auc": "AUC", "average_precision": "average precision", "card_precision_at_100": "card precision@100"}


def plot_roc(curve: Curve) -> Html:
    """Return the ROC curve, with the line of chance."""
    with drawing("ROC curve") as (figure, axes):
        axes.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, linewidth=1.0, linestyle="--")
        axes.plot(curve.x, curve.y, color=SERIES[0])
        _shares(axes, "share of others flagged (false positive rate)", "share of targets flagged (recall)")
        return inline_svg(figure, "ROC curve")


def plot_precision_recall(curve: Curve, base_rate: float) -> Html:
    """Return precision over recall, with the line of chance."""
    with drawing("Precision and recall") as (figure, axes):
        axes.axhline(base_rate, color=FAINT, linewidth=1.0, linestyle="--")
        axes.plot(curve.x, curve.y, color=SERIES[0])
        _shares(axes, "recall", "precision")
        return inline_svg(figure, "Precision and recall")


def plot_gains(curve: Curve, *, rare: bool) -> Html:
    """Return the cumulative gains: targets found over rows looked at, the highest scores first.

    The axis of rows is a log one where targets are `rare`, and found among few rows.
    """
    with drawing("Cumulative gains") as (figure, axes):
        chance = np.geomspace(1e-4, 1.0, 50)
        axes.plot(chance, chance, color=FAINT, linewidth=1.0, linestyle="--")
        axes.plot(np.maximum(curve.x, 1e-4), curve.y, color=SERIES[0])
        _shares(axes, "share of rows looked at", "share of targets found")
        if rare:
            axes.set_xscale("log")
            axes.set_xlim(0.8e-4, 1.25)
            axes.set_xticks([1e-4, 1e-3, 1e-2, 1e-1, 1.0], ["0.01%", "0.1%", "1%", "10%", "100%"])
        return inline_svg(figure, "Cumulative gains")


def plot_reliability(bins: Sequence[Reliability], *, rare: bool) -> Html:
    """Return the share of targets over the mean score of each bin, with the line of perfection.

    The axes are log ones where targets are `rare`, and most bins lie near 0.
    """
    with drawing("Reliability") as (figure, axes):
        scores = [one.mean_score for one in bins]
        rates = [one.base_rate for one in bins]
        positive = [value for value in (*scores, *rates) if value > 0.0]
        least = max(min(positive, default=1e-3), 1e-6) / 2.0 if rare else 0.0
        axes.plot([least, 1.0], [least, 1.0], color=FAINT, linewidth=1.0, linestyle="--")
        # A bin without targets has no place on a log axis: it is drawn at its foot.
        axes.plot(np.maximum(scores, least), np.maximum(rates, least), color=SERIES[0], marker="o", linewidth=0.0)
        axes.set_xlabel("mean score of the bin")
        axes.set_ylabel("share of targets")
        if rare:
            axes.set_xscale("log")
            axes.set_yscale("log")
            _plain_powers(axes.xaxis)
            _plain_powers(axes.yaxis)
        return inline_svg(figure, "Reliability")


def plot_histogram(histogram: Histogram, review: float, decline: float) -> Html:
    """Return the counts of targets' and others' scores, on a log axis, with the two thresholds."""
    with drawing("Scores by class") as (figure, axes):
        for counts, color, label in (
            (histogram.others, SERIES[0], "others"),
            (histogram.targets, SERIES[1], "targets"),
        ):
            axes.stairs(counts, histogram.edges, color=color, label=label, fill=False, linewidth=1.6)
        axes.axvline(review, color=FAINT, linewidth=1.0, linestyle="--", label="review")
        axes.axvline(decline, color=FAINT, linewidth=1.0, linestyle=":", label="decline")
        axes.set_yscale("log")
        axes.set_ylim(0.7, None)
        _plain_powers(axes.yaxis)
        axes.set_xlabel("score")
        axes.set_ylabel("rows")
        axes.legend(ncols=2)
        return inline_svg(figure, "Scores by class")


def plot_importance(importance: Sequence[Importance]) -> Html:
    """Return the drop of average precision when each of the foremost features is shuffled."""
    chosen = importance[:BARS]
    return _bars(
        "Permutation importance",
        [one.feature for one in chosen],
        [one.drop for one in chosen],
        "drop of average precision",
        deviations=[one.deviation for one in chosen],
    )


def plot_drift(drifts: Sequence[Drift]) -> Html:
    """Return the population stability index of the features that moved most, with the marks 0.1 and 0.25."""
    chosen = drifts[:BARS]
    return _bars(
        "Drift from training to test",
        [one.feature for one in chosen],
        [one.psi for one in chosen],
        "population stability index",
        marks=(0.1, 0.25),
    )


def plot_learning_curve(points: Sequence[LearningPoint]) -> Html:
    """Return average precision on training and on test rows over the number of training rows."""
    with drawing("Learning curve") as (figure, axes):
        rows = [one.rows for one in points]
        axes.plot(rows, [one.train for one in points], color=SERIES[1], marker="s", markersize=4.0, label="training")
        axes.plot(rows, [one.test for one in points], color=SERIES[0], marker="o", markersize=4.0, label="test")
        axes.set_xscale("log", base=2)
        axes.set_xticks(rows, [f"{one:,}" for one in rows])
        axes.minorticks_off()
        axes.set_ylim(0.0, 1.02)
        axes.set_xlabel("training rows")
        axes.set_ylabel("average precision")
        axes.legend()
        return inline_svg(figure, "Learning curve")


def plot_folds(found: Prequential) -> Html:
    """Return each figure over the folds, by the first day of their test."""
    with drawing("Folds back in time") as (figure, axes):
        at = range(len(found.folds))
        for (name, label), color, marker in zip(FIGURES.items(), SERIES, "osD", strict=False):
            values = [fold.figures[name] for fold in found.folds]
            axes.plot(at, values, color=color, marker=marker, markersize=4.0, label=label)
        axes.set_xticks(list(at), [f"{fold.test_from:%m-%d}" for fold in found.folds])
        axes.set_ylim(0.0, 1.02)
        axes.set_xlabel("test from")
        axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.2), ncols=3, columnspacing=1.2, handlelength=1.5)
        return inline_svg(figure, "Folds back in time")


def _shares(axes: Axes, x: str, y: str) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _plain_powers(axis: Axis) -> None:
    """Mark powers of ten as plain numbers: matplotlib writes them as formulas, which are switched off."""
    low, high = sorted(axis.get_view_interval())
    powers = [10.0**power for power in range(-6, 10) if low <= 10.0**power <= high]
    axis.set_ticks(powers, [f"{power:,.0f}" if power >= 1.0 else f"{power:g}" for power in powers])


def _bars(
    title: str,
    names: Sequence[str],
    values: Sequence[float],
    label: str,
    *,
    deviations: Sequence[float] | None = None,
    marks: Sequence[float] = (),
) -> Html:
    with drawing(title, height=1.0 + 0.22 * len(names)) as (figure, axes):
        at = np.arange(len(names))[::-1]
        axes.barh(
            at, values, height=0.62, color=SERIES[0], xerr=deviations, error_kw={"ecolor": FAINT, "elinewidth": 1.0}
        )
        for mark in marks:
            axes.axvline(mark, color=SERIES[1], linewidth=1.0, linestyle="--")
        short = [name if len(name) <= _LABEL_CHARACTERS else name[: _LABEL_CHARACTERS - 1] + "…" for name in names]
        axes.set_yticks(at, short)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(label)
        return inline_svg(figure, title)
