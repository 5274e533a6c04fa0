"""The verb `market live-report` of the command line: a market report on what workers published of a symbol."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from aiokafka.errors import KafkaError

from stream.console import fail, load_settings, output, unreachable

if TYPE_CHECKING:
    from schemas.forecast import Forecast
    from schemas.volatility import Volatility
    from stream.settings import Settings
    from training.market.report import ForecastSkill, MarketReport

_PROBABILITY = tuple(at / 1000.0 for at in range(1, 1000))


def live_report(
    symbol: Annotated[str, typer.Option(help="The symbol to report on.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write to; reports/live-SYMBOL if none.")] = None,
) -> None:
    """Tell how far the values at risk that workers published could be relied on, and write a report on one symbol.

    Reads what lies on the topics `volatility` and `forecasts`, of the bundle that published last. Each bar's loss is
    held against the value at risk that was in force for it. The page is that of `market report`.

    Example: riskstream market live-report --symbol EURUSD
    """
    import msgspec

    from training.market.report import ReportError
    from training.market.report_files import write_report

    settings = load_settings()
    try:
        bars, forecasts = asyncio.run(_published(settings, symbol))
    except msgspec.DecodeError as wrong:
        raise fail(
            f"RISKSTREAM_TOPIC_PREFIX={settings.topic_prefix!r}: a message on the topics volatility and forecasts is"
            f" none of this version: {wrong}; name the prefix that workers of this version publish under"
        ) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    if not bars:
        raise fail(f"--symbol {symbol}: no bar of it is on {settings.topic('volatility')}; name one that is")
    name = "".join(one if one.isalnum() else "-" for one in symbol.lower())
    try:
        report = report_of(bars, forecasts, f"riskstream market live-report --symbol {symbol}")
        written = write_report(report, Path("reports") / f"live-{name}" if out is None else out)
    except ReportError as wrong:
        raise fail(f"--symbol {symbol}: {wrong}") from None
    except OSError as wrong:
        raise fail(f"--out: cannot be written to: {wrong}; name a folder that can") from None
    output.print(f"[bold]report[/] {', '.join(str(path) for path in written)}", highlight=False, soft_wrap=True)


def report_of(bars: Sequence["Volatility"], forecasts: Sequence["Forecast"], command: str) -> "MarketReport":
    """Return the report on one symbol's published bars and forecasts, in any order, some perhaps twice.

    The bars are those of the bundle version of the last, from the second on: nothing was in force for the first. Raises
    ReportError for fewer than three of them.
    """
    import numpy as np

    from risk.distributions.normal_distribution import normal_quantile
    from risk.value_at_risk.loss import loss_percent
    from training.market.report import MarketReport, ModelQuantiles, ReportError, RiskColumns
    from training.market.report_back_tests import back_tests

    version = max(bars, key=lambda one: one.bar_end_ns).bundle_version
    by_end = {one.bar_end_ns: one for one in bars if one.bundle_version == version}
    ordered = [by_end[end_ns] for end_ns in sorted(by_end)]
    if len(ordered) < 3:
        raise ReportError(f"has {len(ordered)} bars of bundle {version}; wait until there are three")
    before, now = ordered[:-1], ordered[1:]
    last = now[-1]
    losses = np.array([loss_percent(one.log_return_percent) for one in now])
    levels = tuple(
        RiskColumns(
            figure.confidence_percent / 100.0,
            np.array([one.risk_in_force[at].value_at_risk_percent for one in before]),
            np.array([one.risk_in_force[at].expected_shortfall_percent for one in before]),
            np.array([figure.confidence_percent in one.exceeded_percent for one in now]),
        )
        for at, figure in enumerate(last.risk_in_force)
    )
    made = [one for one in forecasts if one.bundle_version == version]
    return MarketReport(
        symbol=last.symbol,
        source="the topics volatility and forecasts",
        bar=f"{(last.bar_end_ns - last.bar_start_ns) / 1e9:,g} s",
        bars_per_year=last.annualised_volatility_percent**2 / last.next_variance_percent2,
        end_ns=np.array([one.bar_end_ns for one in now], dtype=np.int64),
        close=np.array([one.close for one in now]),
        log_return_percent=np.array([one.log_return_percent for one in now]),
        loss_percent=losses,
        variance_percent2=np.array([one.variance_percent2 for one in now]),
        z=np.array([one.standardised_residual for one in now]),
        model=f"{last.risk_method.replace('_', ' ')} of bundle {last.bundle_name} {version}",
        volatility_model=f"{last.model}, {last.distribution}",
        expected=ModelQuantiles(
            "normal, for comparison",
            np.array(_PROBABILITY),
            np.array([normal_quantile(one) for one in _PROBABILITY]),
        ),
        levels=levels,
        back_tests=tuple(test for one in levels for test in back_tests(losses, one)),
        skills=_skills(made),
        notes=tuple(
            f"Published with the last bar, at {one.confidence_percent:g} %: {one.exceedances} exceedances of"
            f" {one.bars} bars, Kupiec p {one.kupiec_p:.3f}" + (f", zone {one.zone}." if one.zone else ".")
            for one in last.back_tests
        ),
        command=command,
    )


def _skills(forecasts: Sequence["Forecast"]) -> tuple["ForecastSkill", ...]:
    """Return how each model did one bar ahead, over all bars of which a forecast was published."""
    import numpy as np

    from training.market.diebold_mariano import compare_forecasts
    from training.market.report import ForecastSkill

    skills = []
    for model in dict.fromkeys(one.model for one in forecasts):
        by_end = {one.bar_end_ns: one for one in forecasts if one.model == model}
        # Nothing was forecast of a symbol's first bar.
        scored = [by_end[end_ns] for end_ns in sorted(by_end)][1:]
        change = np.array([one.change for one in scored])
        expected = np.array([one.previous_value for one in scored])
        errors = np.abs(change - expected)
        walk, moved = np.abs(change), (change != 0.0) & (expected != 0.0)
        if len(scored) < 3 or not walk.any() or not moved.any():
            continue
        skills.append(
            ForecastSkill(
                model,
                1,
                len(scored),
                float(errors.mean() / walk.mean()),
                float(np.sqrt(np.mean(errors**2) / np.mean(walk**2))),
                float(np.mean(np.sign(change[moved]) == np.sign(expected[moved]))),
                compare_forecasts(errors, walk, 1).p_value,
            )
        )
    return tuple(skills)


async def _published(settings: "Settings", symbol: str) -> tuple[list["Volatility"], list["Forecast"]]:
    """Return the bars and the forecasts of a symbol that are on the topics now."""
    from schemas.forecast import Forecast
    from schemas.volatility import Volatility
    from stream.message_reader import read_messages

    broker, partitions = settings.broker, settings.partitions
    bars = read_messages(Volatility, broker, settings.topic("volatility"), partitions, follow=False)
    forecasts = read_messages(Forecast, broker, settings.topic("forecasts"), partitions, follow=False)
    return [one async for one in bars if one.symbol == symbol], [one async for one in forecasts if one.symbol == symbol]
