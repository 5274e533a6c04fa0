"""The drawings of a market report."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from training.html_page import Html
from training.inline_svg import FAINT, INK, SERIES, drawing, inline_svg
from training.market.report import MarketReport, SetAside
from training.market.report_diagnostics import LAGS, Quantiles
from training.market.report_windows import Windows, most_of_zone

RECENT_BARS = 250
"""The bars of the drawing that shows bands around the price, which over many years nobody could see."""
_POINTS = 700
"""A line of more points than this is drawn by the least and the greatest of each stretch: no eye sees the rest."""
_HEIGHT = 3.4


def plot_price(report: MarketReport) -> Html:
    """Return the whole price, with the bars whose loss exceeded the value at risk."""
    risk = report.traffic_light
    with drawing(f"Price and exceedances at {100.0 * risk.level:.5g}%", height=_HEIGHT) as (figure, axes):
        _line(axes, report.end_ns, report.close, SERIES[0])
        _mark(axes, report.end_ns[risk.exceeded], report.close[risk.exceeded])
        _shade(axes, report.set_aside)
        if report.close.max() > 4.0 * report.close.min() > 0.0:
            axes.set_yscale("log")
            _plain_prices(axes)
        else:
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        _times(axes, report.end_ns)
        return inline_svg(figure, "Price and exceedances")


def plot_bands(report: MarketReport) -> Html:
    """Return the last bars' price over the floors below which it was not expected to close, level by level."""
    last = slice(max(1, len(report) - RECENT_BARS), None)
    before = report.close[slice(max(1, len(report) - RECENT_BARS) - 1, -1)]
    times, close = report.end_ns[last], report.close[last]
    at = _positions(times)
    with drawing(f"The last {len(times):,} bars and their floors", height=_HEIGHT) as (figure, axes):
        floors = [
            (one.level, before * (1.0 - one.value_at_risk_percent[last] / 100.0))
            for one in sorted(report.levels, key=lambda one: one.level)
        ]
        top = before
        for number, (level, floor) in enumerate(floors):
            axes.fill_between(
                at, floor, top, step="mid", color=SERIES[1], alpha=0.34 - 0.12 * min(number, 2), linewidth=0.0,
                label=f"{100.0 * level:.5g}%",
            )  # fmt: skip
            top = floor
        axes.plot(at, close, color=SERIES[0], linewidth=1.3, label="close")
        exceeded = report.traffic_light.exceeded[last]
        _mark(axes, times[exceeded], close[exceeded])
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        _times(axes, times)
        axes.legend(loc="upper center", bbox_to_anchor=(0.45, -0.1), ncols=4, columnspacing=1.2, handlelength=1.3)
        return inline_svg(figure, "The last bars and their floors")


def plot_volatility(report: MarketReport) -> Html:
    """Return the conditional volatility in percent a year."""
    with drawing("Conditional volatility, percent a year", height=_HEIGHT) as (figure, axes):
        _line(axes, report.end_ns, np.sqrt(report.variance_percent2 * report.bars_per_year), SERIES[0])
        _shade(axes, report.set_aside)
        axes.set_ylim(0.0, None)
        _times(axes, report.end_ns)
        return inline_svg(figure, "Conditional volatility")


def plot_losses(report: MarketReport) -> Html:
    """Return each bar's loss against the value at risk that was in force for it."""
    risk = report.traffic_light
    with drawing(f"Loss against value at risk at {100.0 * risk.level:.5g}%", height=_HEIGHT) as (figure, axes):
        _line(axes, report.end_ns, report.loss_percent, FAINT, width=0.5)
        _line(axes, report.end_ns, risk.value_at_risk_percent, SERIES[0], width=1.2)
        _mark(axes, report.end_ns[risk.exceeded], report.loss_percent[risk.exceeded])
        _shade(axes, report.set_aside)
        _times(axes, report.end_ns)
        return inline_svg(figure, "Loss against value at risk")


def plot_windows(windows: Windows, level: float, set_aside: SetAside | None) -> Html:
    """Return the exceedances of each window over its last bar, and the limits of the zones at the level."""
    with drawing("Exceedances in the 250 bars before", height=_HEIGHT) as (figure, axes):
        at = _positions(windows.end_ns)
        counts = windows.exceedances
        green, yellow = most_of_zone("green", level), most_of_zone("yellow", level)
        axes.fill_between(at, counts, step="mid", color=SERIES[2], alpha=0.25, linewidth=0.0)
        axes.fill_between(
            at, counts, green, where=(counts > green).tolist(), step="mid", color=SERIES[1], alpha=0.55, linewidth=0.0
        )
        axes.step(at, counts, where="mid", color=INK, linewidth=1.0)
        _shade(axes, set_aside)
        _limit(axes, green, "yellow", "green")
        if counts.max() > yellow - 2:
            _limit(axes, yellow, "red", "yellow")
        axes.set_ylim(0.0, max(counts.max() + 1.5, green + 3.0))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        _times(axes, windows.end_ns)
        return inline_svg(figure, "Exceedances by window")


def plot_quantiles(found: Quantiles, name: str) -> Html:
    """Return the residuals' quantiles against those of their model, and within what bounds chance keeps them."""
    with drawing("Residuals against their model", height=_HEIGHT) as (figure, axes):
        axes.fill_between(found.expected, found.low, found.high, color=FAINT, alpha=0.25, linewidth=0.0)
        ends = [found.expected[0], found.expected[-1]]
        axes.plot(ends, ends, color=FAINT, linewidth=1.0, linestyle="--")
        axes.plot(found.expected, found.observed, color=SERIES[0], marker="o", markersize=2.2, linewidth=0.0)
        axes.set_xlabel(f"quantiles of the {name}")
        axes.set_ylabel("quantiles of z")
        return inline_svg(figure, "Residuals against their model")


def plot_autocorrelations(of_z: NDArray[np.float64], of_squares: NDArray[np.float64], count: int) -> Html:
    """Return the autocorrelations of z and of its square by lag, within the bounds of chance for `count` residuals."""
    with drawing("Autocorrelation of residuals", height=_HEIGHT) as (figure, axes):
        lags = np.arange(1, LAGS + 1)
        bound = 1.959964 / np.sqrt(count)
        axes.axhspan(-bound, bound, color=FAINT, alpha=0.2, linewidth=0.0)
        axes.axhline(0.0, color=FAINT, linewidth=0.8)
        for values, shift, color, label in ((of_z, -0.18, SERIES[0], "z"), (of_squares, 0.18, SERIES[1], "z squared")):
            axes.bar(lags + shift, values, width=0.34, color=color, label=label)
        span = max(float(np.abs([of_z, of_squares]).max()), bound)
        axes.set_ylim(-1.3 * span, 1.6 * span)
        axes.set_xticks([1, 5, 10, 15, 20])
        axes.set_xlabel("lag, bars")
        axes.legend(loc="upper right", ncols=2)
        return inline_svg(figure, "Autocorrelation of residuals")


def _limit(axes: Axes, most: int, above: str, below: str) -> None:
    axes.axhline(most + 0.5, color=SERIES[1], linewidth=1.0, linestyle="--")
    for text, up in ((above, 3.0), (below, -10.0)):
        axes.annotate(
            text, (1.0, most + 0.5), xycoords=("axes fraction", "data"), xytext=(0.0, up), textcoords="offset points",
            ha="right", color=INK, fontsize=9.0,
        )  # fmt: skip


def _mark(axes: Axes, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    axes.plot(
        _positions(times), values, color=SERIES[1], marker="o", markersize=3.6, linewidth=0.0, markeredgewidth=0.0,
        zorder=4,
    )  # fmt: skip


def _line(axes: Axes, times: NDArray[np.int64], values: NDArray[np.float64], color: str, width: float = 1.0) -> None:
    at = _thinned(values)
    axes.plot(_positions(times)[at], values[at], color=color, linewidth=width)


def _thinned(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return which points a line needs: the ends, and the least and the greatest of each stretch, in order."""
    count = len(values)
    if count <= _POINTS:
        return np.arange(count)
    edges = np.linspace(0, count, _POINTS // 2 + 1).astype(np.int64)
    kept = {0, count - 1}
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        kept |= {start + int(np.argmin(values[start:stop])), start + int(np.argmax(values[start:stop]))}
    return np.array(sorted(kept))


def _shade(axes: Axes, set_aside: SetAside | None) -> None:
    if set_aside is not None:
        low, high = _positions(np.array([set_aside.first_ns, set_aside.end_ns]))
        axes.axvspan(low, high, color=FAINT, alpha=0.14, linewidth=0.0, zorder=0)


def _positions(times: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(times, dtype=np.float64) / 1e9


def _times(axes: Axes, times: NDArray[np.int64]) -> None:
    """Set the axis of time: its ends are those of the bars, and few ticks tell as much of a date as differs."""
    first, last = (float(one) for one in _positions(times[[0, -1]]))
    margin = 0.01 * (last - first) or 1.0
    axes.set_xlim(first - margin, last + margin)
    moments, form = _ticks(first, last)
    # A label at the very edge would run into that of the other axis.
    moments = [one for one in moments if one.timestamp() > first + 2.0 * margin]
    axes.set_xticks([one.timestamp() for one in moments], [format(one, form) for one in moments])


def _ticks(first: float, last: float) -> tuple[Sequence[datetime], str]:
    begin, end = (datetime.fromtimestamp(one, UTC) for one in (first, last))
    years = end.year - begin.year
    if years >= 3:
        step = -(-years // 6)
        found = [datetime(year, 1, 1, tzinfo=UTC) for year in range(begin.year, end.year + 1) if year % step == 0]
        return [one for one in found if first <= one.timestamp() <= last], "%Y"
    days = (last - first) / 86_400.0
    if days > 100.0:
        months = [(begin.year * 12 + begin.month - 1) + at for at in range(1, years * 12 + 13)]
        step = max(1, round(days / 30.0 / 5.0))
        found = [datetime(one // 12, one % 12 + 1, 1, tzinfo=UTC) for one in months if one % step == 0]
        return [one for one in found if one.timestamp() <= last], "%Y-%m"
    found = [datetime.fromtimestamp(first + (last - first) * part, UTC) for part in (0.05, 0.35, 0.65, 0.95)]
    return found, "%m-%d" if days > 5.0 else "%H:%M"


def _plain_prices(axes: Axes) -> None:
    """Mark a log axis with plain numbers: matplotlib writes powers as formulas, which are switched off."""
    low, high = axes.get_ylim()
    marks = [one * 10.0**power for power in range(-9, 10) for one in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)]
    shown = [one for one in marks if low <= one <= high]
    axes.minorticks_off()
    axes.set_yticks(shown, [f"{one:,.10g}" for one in shown])
