"""The verb `market report` of the command line."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from risk.volatility.trading_year import TradingYear
from training.console_output import errors, fail, output

if TYPE_CHECKING:
    from training.market.report import MarketReport
    from training.market.report_series import PriceSeries
    from training.market.var_walk_forward import WalkForwardPlan

CRISIS_YEAR = 2008
"""Set aside for the series that is shipped: what models knew of crises then was little."""


def report(
    history: Annotated[
        Path | None, typer.Option(help="Parquet or CSV of daily bars or of ticks; the S&P 500 if none.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="The one to report on, if the file has several.")] = None,
    bar_minutes: Annotated[int, typer.Option(min=1, help="Length of the bars that are made of ticks.")] = 5,
    year: Annotated[TradingYear, typer.Option(help="What a year of trading is, to annualise.")] = "us_exchange",
    refit_bars: Annotated[int, typer.Option(min=1, help="Fit all models anew after so many bars.")] = 63,
    window_bars: Annotated[
        int | None, typer.Option(min=500, help="Fit on so many last bars; on all so far if none.")
    ] = None,
    set_aside: Annotated[
        int | None, typer.Option(min=1900, max=2100, help="A year whose windows are counted apart, such as 2008.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to; reports/market-NAME if none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON, and write nothing.")] = False,
) -> None:
    """Tell how far values at risk could have been relied on, and write a report on one symbol.

    Walks through a past series as if it were live: models are fitted to the past alone, again and again, and each bar's
    loss is held against what was forecast for it. The report, one page of HTML, has price and value at risk,
    volatility, back-tests, the traffic light of every window of 250 bars, residuals, and forecast skill. It takes a
    minute or two.

    A file of daily bars has the columns date and close, and perhaps symbol; one of ticks has symbol, event_time, and
    bid and ask or price and size.

    Example: riskstream market report

    Example: riskstream market report --history spy.csv --set-aside 2020 --out reports/spy
    """
    if find_spec("arch") is None or find_spec("matplotlib") is None:
        raise fail("a market report needs arch and matplotlib; pip install 'riskstream[train]'")
    if as_json and out is not None:
        raise fail("--json, --out: give one of the two")
    from training.history import HistoryError
    from training.market.report_files import report_figures, write_report
    from training.market.report_series import read_series, shipped_series
    from training.market.var_walk_forward import WalkForwardError, WalkForwardPlan

    try:
        if history is None:
            if symbol is not None:
                raise fail(f"--symbol {symbol}: is of a --history; give both or neither")
            series = shipped_series()
            set_aside = CRISIS_YEAR if set_aside is None else set_aside
        else:
            series = read_series(history, symbol, bar_minutes=bar_minutes, year=year)
        folder = None if as_json else _made_folder(out, series.symbol)
        plan = WalkForwardPlan(refit_bars=refit_bars, window_bars=window_bars)
        found = _study(series, plan, set_aside)
    except (HistoryError, WalkForwardError) as wrong:
        raise fail(str(wrong)) from None
    if folder is None:
        sys.stdout.write(report_figures(found).decode() + "\n")
        return
    try:
        written = write_report(found, folder)
    except OSError as wrong:
        raise _unwritable(wrong) from None
    _show(found)
    output.print(Text("report ", style="bold") + Text(", ".join(str(path) for path in written)), soft_wrap=True)


def _made_folder(out: Path | None, symbol: str) -> Path:
    """Return the folder to write to, made before the work, which takes minutes: what cannot be made is told at once."""
    name = "".join(one if one.isalnum() else "-" for one in symbol.lower())
    folder = Path("reports") / f"market-{name}" if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise _unwritable(wrong) from None
    return folder


def _unwritable(wrong: OSError) -> typer.Exit:
    return fail(f"--out: cannot be written to: {wrong}; name a folder that can")


def _study(series: "PriceSeries", plan: "WalkForwardPlan", set_aside: int | None) -> "MarketReport":
    from training.market.report_study import FORECASTERS, study, year_set_aside
    from training.market.var_walk_forward import fits

    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    ) as progress:  # fmt: skip
        fitting = progress.add_task("volatility models", total=fits(len(series.close) - 1, plan))
        scoring = progress.add_task("forecasters", total=FORECASTERS)
        return study(
            series,
            plan,
            set_aside=None if set_aside is None else year_set_aside(set_aside),
            command=shlex.join(["riskstream", *sys.argv[1:]]),
            on_fit=lambda: progress.advance(fitting),
            on_skill=lambda: progress.advance(scoring),
        )


def _show(found: "MarketReport") -> None:
    from training.market.report_page import in_short

    table = Table(title=Text(f"{found.symbol}: {len(found):,} bars, value at risk by {found.model}"))
    table.add_column("level", no_wrap=True)
    table.add_column("test", no_wrap=True)
    for heading in ("statistic", "p"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("answer")
    for one in sorted(found.back_tests, key=lambda one: -one.level):
        table.add_row(
            f"{100.0 * one.level:.5g}%",
            one.name,
            f"{one.statistic:.2f}",
            "-" if one.p_value is None else f"{one.p_value:.3f}",
            Text(one.verdict, style="" if one.passed is not False else "yellow"),
        )
    output.print(table)
    for told in in_short(found):
        output.print(Text(told))
