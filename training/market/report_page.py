"""The market report: one page of HTML that needs no other file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from risk.back_tests.back_test import WINDOW_BARS
from risk.distributions.binomial_distribution import binomial_cdf
from training.html_page import Html, figure, figures, page, paragraph, preformatted, table
from training.market.report import BackTest, MarketReport, RiskColumns
from training.market.report_diagnostics import LAGS, autocorrelations, quantiles, residual_tests
from training.market.report_plots import (
    RECENT_BARS,
    plot_autocorrelations,
    plot_bands,
    plot_losses,
    plot_price,
    plot_quantiles,
    plot_volatility,
    plot_windows,
)
from training.market.report_windows import Windows, most_of_zone, windows_of

GREEN_GOAL = 0.95
Section = tuple[str, Sequence[Html]]

_MOST_ROWS = 40


def report_page(report: MarketReport) -> str:
    """Return the page, a function of the report alone: equal reports give equal bytes."""
    windows = windows_of(report)
    sections = [
        ("In short", [paragraph(one) for one in in_short(report)]),
        _price(report),
        _volatility(report),
        _back_tests(report),
        _traffic_light(report, windows),
        _residuals(report),
    ]
    if report.candidates:
        sections.append(_candidates(report))
    sections.append(_skill(report))
    sections.append(_notes(report))
    lead = (
        f"{len(report):,} bars of {report.bar} from {_moment(report, 0)} to {_moment(report, -1)},"
        f" from {report.source}. Value at risk by: {report.model}."
    )
    return page(f"Market risk of {report.symbol}", lead, sections)


def in_short(report: MarketReport) -> tuple[str, ...]:
    """Return in three sentences or so each what to take from a report: the risk ahead, its reliability, the light."""
    windows = windows_of(report)
    risk = report.traffic_light
    many, bars = int(np.count_nonzero(risk.exceeded)), len(report)
    expected = (1.0 - risk.level) * bars
    latest = (
        f"The last forecast says: in {_odds(risk.level)} bars the loss is at most"
        f" {_percent(risk.value_at_risk_percent[-1])} of the price, and where it is more, then"
        f" {_percent(risk.expected_shortfall_percent[-1])} on average. Volatility was"
        f" {_percent(_annual(report)[-1])} a year, against {_percent(np.median(_annual(report)))} in the median."
    )
    kept = (
        f"Over {bars:,} bars the {_level(risk.level)} value at risk was exceeded {many:,} times, where"
        f" {expected:,.1f} were to be expected. {_reliability(report)}"
    )
    return latest, kept, _light_in_words(report, windows)


def _reliability(report: MarketReport) -> str:
    failed = [one for one in report.back_tests if one.passed is False and one.level == report.traffic_light.level]
    if not report.back_tests:
        return "No back-test was made."
    if not failed:
        return "No back-test at this level speaks against it: it can be relied on as far as the past tells."
    doubts = "; ".join(f"{one.name}: {one.verdict}" for one in failed)
    return f"Do not rely on it alone, since back-tests speak against it ({doubts})."


def _light_in_words(report: MarketReport, windows: Windows) -> str:
    if not len(windows):
        return f"There are fewer than {WINDOW_BARS} bars, so the traffic light has nothing to say."
    light = report.traffic_light
    apart = report.set_aside
    told = f"The Basel traffic light was green in {_share(windows.green_share_of_all)} of {len(windows):,} windows of"
    told += f" {WINDOW_BARS} bars"
    if apart is not None and windows.green_share is not None:
        outside = int(np.count_nonzero(~windows.set_aside))
        told += f", and in {_share(windows.green_share)} of the {outside:,} without a bar of {apart.name}"
    yellow = [f"{_date(one.first_end_ns)} to {_date(one.last_end_ns)}" for one in windows.not_green]
    if not yellow:
        return f"{told}. It was never anything else."
    shown = "; ".join(yellow[:4]) + (f"; and {len(yellow) - 4} more" if len(yellow) > 4 else "")
    now = int(windows.exceedances[-1])
    return (
        f"{told}. It was not for windows that ended from {shown}. The last window holds {now} exceedances; from"
        f" {most_of_zone('green', light.level) + 1} on capital gets dearer."
    )


def _price(report: MarketReport) -> Section:
    light = report.traffic_light
    return "Price and value at risk", [
        paragraph(
            "A floor is the price below which the next bar was not expected to close, but for"
            f" {_times(report)}. Dots are the bars that closed below the floor of {_level(light.level)}."
        ),
        figures(
            [
                figure(plot_bands(report), f"The last {min(len(report) - 1, RECENT_BARS):,} bars, floor by floor."),
                figure(plot_price(report), f"All bars{_grey(report)}."),
            ]
        ),
    ]


def _volatility(report: MarketReport) -> Section:
    annual = _annual(report)
    rows = [
        [name, _percent(value)]
        for name, value in (
            ("least", annual.min()),
            ("median", np.median(annual)),
            ("in one of 20 bars more than", np.quantile(annual, 0.95)),
            ("greatest", annual.max()),
            ("last", annual[-1]),
        )
    ]
    return "Volatility and losses", [
        figures(
            [
                figure(
                    plot_volatility(report),
                    f"What {report.volatility_model} expected of each bar before it began{_grey(report)}.",
                ),
                figure(
                    plot_losses(report),
                    "The line is the value at risk that was in force, dots are losses beyond it; gains are below 0.",
                ),
            ]
        ),
        table(["conditional volatility", "a year"], rows),
    ]


def _back_tests(report: MarketReport) -> Section:
    rows = [_back_test_row(one) for one in sorted(report.back_tests, key=lambda one: -one.level)]
    counts = [
        [
            _level(one.level),
            f"{(1.0 - one.level) * len(report):,.1f}",
            f"{int(np.count_nonzero(one.exceeded)):,}",
            f"{np.mean(one.exceeded):.2%}",
            _percent(np.mean(one.value_at_risk_percent)),
            _percent(np.mean(one.expected_shortfall_percent)),
            _mean_loss_beyond(report, one),
        ]
        for one in sorted(report.levels, key=lambda one: -one.level)
    ]
    headings = ["level", "expected", "exceeded", "share", "mean VaR", "mean ES", "mean loss beyond"]
    parts = [
        paragraph(
            "A p-value is the chance of a statistic as great if the forecasts are right: below 0.05 the test speaks"
            " against them. Of 20 such tests of right forecasts, one speaks against them by chance."
        ),
        table(headings, counts),
    ]
    if rows:
        parts.append(table(["level", "test", "statistic", "p", "what it asks, and the answer"], rows))
    return "Back-tests", parts


def _back_test_row(one: BackTest) -> list[str]:
    p = "-" if one.p_value is None else _p(one.p_value)
    return [_level(one.level), one.name, f"{one.statistic:.2f}", p, _answered(one.asks, one.verdict)]


def _answered(asks: str, verdict: str) -> str:
    """Return a question and its answer as two sentences, in one cell, which is wide enough on a narrow screen."""
    return f"{asks} {verdict[:1].upper()}{verdict[1:]}."


def _mean_loss_beyond(report: MarketReport, risk: RiskColumns) -> str:
    return _percent(np.mean(report.loss_percent[risk.exceeded])) if risk.exceeded.any() else "-"


def _traffic_light(report: MarketReport, windows: Windows) -> Section:
    light = report.traffic_light
    green, yellow = (most_of_zone(name, light.level) for name in ("green", "yellow"))
    told = paragraph(
        f"Each bar ends a window of {WINDOW_BARS} bars, of which up to {green} exceedances are green, up to {yellow}"
        f" yellow, and more red. A value at risk at {_level(light.level)} that is exactly right is exceeded"
        f" {(1.0 - light.level) * WINDOW_BARS:.1f} times in a window, and yet is green in only"
        f" {binomial_cdf(green, WINDOW_BARS, 1.0 - light.level):.0%} of independent windows: more than that takes"
        " caution, or learning from exceedances."
    )
    if not len(windows):
        return "Traffic light", [told, paragraph(f"There are fewer than {WINDOW_BARS} bars.")]
    apart = report.set_aside
    shares = [["all", f"{len(windows):,}", _share(windows.green_share_of_all)]]
    if apart is not None:
        inside = windows.green[windows.set_aside]
        shares += [
            [f"without a bar of {apart.name}", f"{len(windows) - len(inside):,}", _share(windows.green_share)],
            [
                f"with a bar of {apart.name}",
                f"{len(inside):,}",
                _share(float(np.mean(inside)) if len(inside) else None),
            ],
        ]
    rows = [
        [
            f"{_date(one.first_end_ns)} to {_date(one.last_end_ns)}",
            _date(one.first_bar_ns),
            f"{one.windows:,}",
            str(one.exceedances),
            one.zone + (f" ({apart.name} in it)" if one.set_aside and apart is not None else ""),
        ]
        for one in windows.not_green[:_MOST_ROWS]
    ]
    headings = ["windows that end", "the first begins", "windows", "most exceedances", "zone"]
    listed = (
        table(headings, rows, caption="The windows that are not green") if rows else paragraph("Every window is green.")
    )
    more = len(windows.not_green) - _MOST_ROWS
    return "Traffic light", [
        told,
        figures(
            [
                figure(plot_windows(windows, light.level, apart), f"By the window's last bar{_grey(report)}."),
                table(["windows", "number", "green"], shares, caption=f"The goal is {GREEN_GOAL:.0%} or more"),
            ]
        ),
        listed,
        *([paragraph(f"{more:,} more runs of windows are not shown.")] if more > 0 else []),
    ]


def _residuals(report: MarketReport) -> Section:
    z = report.z
    tests = residual_tests(z)
    rows = [[one.name, f"{one.statistic:.2f}", _p(one.p_value), _answered(one.asks, one.verdict)] for one in tests]
    parts = [
        paragraph(
            f"A standardised residual z is a return less its mean, in deviations that {report.volatility_model}"
            " expected of it. If the model is right, z has no memory and the distribution that it assumes."
        ),
        figures(
            [
                figure(
                    plot_quantiles(quantiles(z, report.expected), report.expected.name),
                    "On the dashed line residuals are as the model expects; where it is right, 95 of 100 points lie in"
                    " the grey. Below it on the left, great losses are more frequent than expected.",
                ),
                figure(
                    plot_autocorrelations(autocorrelations(z), autocorrelations(z * z), len(z)),
                    f"By lag, 1 to {LAGS}; what chance does stays in the grey. Bars of z squared beyond it are swings"
                    " that the variance has not foreseen.",
                ),
            ]
        ),
    ]
    if rows:
        parts.append(table(["test", "statistic", "p", "what it asks, and the answer"], rows))
    else:
        parts.append(paragraph("There are too few residuals, or all alike, for tests."))
    return "Residuals", parts


def _candidates(report: MarketReport) -> Section:
    light = report.traffic_light
    apart = report.set_aside
    outside = f"green, without {apart.name}" if apart is not None else "green"
    headings = ["way to value at risk", outside, "green, all", "exceeded", "mean VaR", "quantile loss"]
    rows = [
        [
            one.name,
            _share(one.green_share),
            _share(one.green_share_of_all),
            f"{one.exceedance_rate:.2%}",
            _percent(one.mean_value_at_risk_percent),
            f"{one.quantile_loss_percent:#.3g}",
        ]
        for one in report.candidates
    ]
    passing = [one for one in report.candidates if one.green_share is not None and one.green_share >= GREEN_GOAL]
    if passing:
        best = min(passing, key=lambda one: one.quantile_loss_percent)
        told = (
            f"Of the ways whose windows are green in {GREEN_GOAL:.0%} or more, {best.name} has the least quantile loss."
        )
    else:
        told = f"No way is green in {GREEN_GOAL:.0%} of windows."
    return "Ways compared", [
        paragraph(
            f"At {_level(light.level)}. Quantile loss weighs misses against needless caution; less is better. Caution"
            f" alone makes windows green, so the two go together. {told}"
        ),
        table(headings, rows),
    ]


def _skill(report: MarketReport) -> Section:
    told = paragraph(
        "Forecasts of the price, made as they would have been live, against the random walk, which says that the price"
        " stays where it is. Ratios below 1 are better than it; p is the chance of a difference as great if neither is"
        " better."
    )
    if not report.skills:
        return "Forecast skill", [told, paragraph("No forecasts were scored.")]
    headings = ["forecaster", "bars ahead", "forecasts", "absolute error", "squared error", "direction", "p"]
    rows = [
        [
            one.forecaster,
            str(one.horizon_bars),
            f"{one.forecasts:,}",
            f"{one.mase:.4f}",
            f"{one.rmse_ratio:.4f}",
            f"{one.hit_rate:.1%}",
            _p(one.p_value),
        ]
        for one in report.skills
    ]
    caption = "Mean absolute and root mean squared error, over the random walk's; share of directions that were right"
    return "Forecast skill", [
        told,
        *(paragraph(one) for one in report.skill_verdicts),
        table(headings, rows, caption=caption),
    ]


def _notes(report: MarketReport) -> Section:
    parts = [paragraph(one) for one in report.notes]
    parts.append(paragraph("Losses are of a long position, in percent of the price before. The past promises nothing."))
    if report.command:
        parts.append(preformatted(report.command))
    return "How it was made", parts


def _annual(report: MarketReport) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(np.sqrt(report.variance_percent2 * report.bars_per_year))


def _level(level: float) -> str:
    """Return a level in percent, without idle digits.

    >>> _level(0.99), _level(0.975)
    ('99%', '97.5%')
    """
    return f"{100.0 * level:.5g}%"


def _odds(level: float) -> str:
    """Return a level as odds.

    >>> _odds(0.99), _odds(0.975)
    ('99 of 100', '97.5 of 100')
    """
    return f"{100.0 * level:.4g} of 100"


def _times(report: MarketReport) -> str:
    shares = [f"{100.0 * (1.0 - one.level):.3g}" for one in report.levels]
    return (" or ".join(shares) if len(shares) < 3 else ", ".join(shares[:-1]) + f" or {shares[-1]}") + " of 100 bars"


def _grey(report: MarketReport) -> str:
    return "" if report.set_aside is None else f"; {report.set_aside.name} is grey"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _percent(value: float | np.floating[Any]) -> str:
    """Return a percentage with three digits that tell something, since bars of minutes lose little.

    >>> _percent(30.04), _percent(2.5), _percent(0.02134)
    ('30.0%', '2.50%', '0.0213%')
    """
    return f"{value:#.3g}%".replace(".%", "%")


def _p(p_value: float) -> str:
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _moment(report: MarketReport, at: int) -> str:
    return _date(int(report.end_ns[at]))


def _date(time_ns: int) -> str:
    """Return a time as a date, with the time of day where that is not midnight.

    >>> _date(0), _date(3_600_000_000_000)
    ('1970-01-01', '1970-01-01 01:00')
    """
    moment = datetime.fromtimestamp(time_ns / 1e9, UTC)
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%d %H:%M}"
