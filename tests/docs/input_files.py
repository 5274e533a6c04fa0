"""The files that the documentation's commands read, small, in the columns that its pages name."""

import csv
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from tests.docs.documented_commands import ROOT, fences
from tests.small_bundle import small_bundle
from tests.small_market_bundle import write_small_market_bundle
from tests.small_table_bundle import small_loans
from training.bundle_files import write_bundle
from training.market.tick_simulator import simulate_ticks
from training.rates.curve_simulator import simulate_rates
from training.simulator import simulate_transactions

SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD", "AUDUSD")
_DAY_NS = 86_400_000_000_000
_MARCH_9TH_2022_NS = 1_646_784_000_000_000_000


def make_folder(folder: Path, page: str, text: str) -> None:
    """Fill a folder with what a page's reader is taken to have: a checkout's bundles and examples, and their own files.

    Of the files only those are written that `text`, all commands of the page, names.
    """
    for name in ("bundles/demo", "bundles/demo-market", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    write: dict[str, Callable[[Path], None]] = {
        "history.parquet": write_history,
        "past.csv": partial(write_ticks, start_ns=_MARCH_9TH_2022_NS, bars=560),
        "today.csv": partial(write_ticks, start_ns=_MARCH_9TH_2022_NS + _DAY_NS, bars=320),
        "ticks.parquet": partial(write_ticks, start_ns=_MARCH_9TH_2022_NS, bars=2_700),
        "spy.csv": write_closes,
        "par_yields.csv": write_par_yields,
        "bundles/other": write_other_bundle,
        "bundles/other-market": write_other_market_bundle,
        "bundles/other-fx": write_other_market_bundle,
        "loans.toml": partial(write_shown_file, page=page),
        "positions.csv": partial(write_shown_file, page=page),
    }
    for name, make in write.items():
        if re.search(rf"\b{re.escape(name)}(?![\w-])", text):
            make(folder / name)
    if page == "docs/credit.md":
        write_loans(folder / "loans.csv", folder / "applicants.csv")
    else:
        shutil.copy(folder / "examples" / "applications.csv", folder / "applicants.csv")


def write_history(path: Path) -> None:
    """Write transactions until the middle of February 2026, with their frauds, under the names that the README maps."""
    december_8th_2025_ns = 1_765_152_000_000_000_000
    history = simulate_transactions(customers=60, merchants=30, days=70, seed=2029, start_ns=december_8th_2025_ns)
    columns = {
        "ID": history.transaction_id,
        "CARD": history.customer_id,
        "SHOP": history.merchant_id,
        "AMOUNT": history.amount,
        "WHEN": pa.array(history.event_time_ns, pa.timestamp("ns", "UTC")),
        "IS_FRAUD": history.fraud,
        "REGION": ["north" if int(one[-1]) % 2 else "south" for one in history.customer_id],
    }
    parquet.write_table(pa.table(columns), path)


def write_ticks(path: Path, start_ns: int, bars: int) -> None:
    """Write quotes of four currencies, four a minute each."""
    ticks = simulate_ticks(SYMBOLS, bars * 4 * len(SYMBOLS), seed=5, start_ns=start_ns, ticks_per_bar=4)
    table = pa.table(
        {
            "symbol": ticks.symbol,
            "event_time": pa.array(ticks.event_time_ns, pa.timestamp("ns", "UTC")),
            "bid": ticks.bid,
            "ask": ticks.ask,
        }
    )
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
        return
    with path.open("w", newline="") as lines:
        out = csv.writer(lines)
        out.writerow(table.column_names)
        times = np.datetime_as_string(ticks.event_time_ns.view("datetime64[ns]"), unit="ns")
        out.writerows(zip(ticks.symbol, (f"{one}Z" for one in times), ticks.bid, ticks.ask, strict=True))


def write_closes(path: Path) -> None:
    """Write daily closes of two and a half years, to the end of 2020."""
    days = np.arange("2018-07-02", "2021-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    closes = 270.0 * np.exp(np.cumsum(0.01 * np.random.default_rng(3).standard_t(5, len(days))))
    with path.open("w", newline="") as lines:
        out = csv.writer(lines)
        out.writerow(["date", "close"])
        out.writerows(zip(days, np.round(closes, 2), strict=True))


def write_par_yields(path: Path) -> None:
    """Write par yields of 40 days, a column for each tenor."""
    rates = simulate_rates(["USD"], 40, seed=2)
    tenors = sorted(set(rates.tenor_months.tolist()))
    days: dict[str, dict[int, float]] = {}
    for at, tenor, percent in zip(rates.event_time_ns, rates.tenor_months, rates.rate_percent, strict=True):
        days.setdefault(str(np.datetime64(int(at), "ns").astype("datetime64[D]")), {})[int(tenor)] = float(percent)
    with path.open("w", newline="") as lines:
        out = csv.writer(lines)
        out.writerow(["date", *(f"{one}M" for one in tenors)])
        out.writerows([day, *(found[one] for one in tenors)] for day, found in days.items())


def write_loans(past: Path, applicants: Path) -> None:
    """Write past loans, and as many applicants with ids of their own."""
    columns = dict(small_loans(1_000).columns)
    rows = [
        ["" if one is None or one != one else one for one in row]
        for row in zip(*(list(one) for one in columns.values()), strict=True)
    ]
    for path, first in ((past, []), (applicants, ["number", "customer"])):
        with path.open("w", newline="") as lines:
            out = csv.writer(lines)
            out.writerow([*first, *columns])
            out.writerows([*(f"{one[0].upper()}-{at:04}" for one in first), *row] for at, row in enumerate(rows))


def write_other_bundle(path: Path) -> None:
    """Write a bundle of transactions to compare with."""
    small = small_bundle()
    write_bundle(
        path.parent, small.manifest, model=small.model, golden=small.golden, explanation=small.explanation
    ).parent.rename(path)


def write_other_market_bundle(path: Path) -> None:
    """Write a bundle of markets to compare with."""
    write_small_market_bundle(path.parent).parent.rename(path)


def write_shown_file(path: Path, page: str) -> None:
    """Write a file that a page shows whole, as it shows it: the first block of its kind after its name."""
    source = ROOT / page
    text = source.read_text().splitlines()
    named = next(
        at for at, line in enumerate(text, 1) if line.startswith(f"`{path.name}`") or f". `{path.name}`" in line
    )
    path.write_text(next(block for line, block in fences(source, path.suffix[1:]) if line > named))
