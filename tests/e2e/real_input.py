"""Real histories in the form that the command line reads."""

import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as parquet

DAY_SECONDS = 86_400
HANDBOOK_START = np.datetime64("2018-04-01", "s")


def write_handbook(source: Path, target: Path, first_day: str, last_day: str) -> int:
    """Write the Handbook's transactions of whole days as Parquet; return how many they are."""
    table = parquet.read_table(source)
    seconds = table.column("TX_TIME_SECONDS").to_numpy().astype(np.int64)
    day = seconds // DAY_SECONDS
    first, last = (
        (np.datetime64(one, "s") - HANDBOOK_START).astype(np.int64) // DAY_SECONDS for one in (first_day, last_day)
    )
    rows = np.flatnonzero((day >= first) & (day <= last))
    times = (HANDBOOK_START.astype("datetime64[ns]").astype(np.int64) + seconds[rows] * 1_000_000_000).astype(
        "datetime64[ns]"
    )
    chosen = table.take(pa.array(rows))
    parquet.write_table(
        pa.table(
            {
                "TRANSACTION_ID": pa.array(rows).cast(pa.string()),
                "TX_DATETIME": pa.array(times),
                "CUSTOMER_ID": chosen.column("CUSTOMER_ID"),
                "TERMINAL_ID": chosen.column("TERMINAL_ID"),
                "TX_AMOUNT": pa.array(chosen.column("TX_AMOUNT_CENTS").to_numpy() / 100.0),
                "TX_FRAUD": chosen.column("TX_FRAUD"),
            }
        ),
        target,
    )
    return len(rows)


HANDBOOK_COLUMNS = (
    "transaction_id=TRANSACTION_ID",
    "event_time=TX_DATETIME",
    "customer_id=CUSTOMER_ID",
    "merchant_id=TERMINAL_ID",
    "amount=TX_AMOUNT",
    "fraud=TX_FRAUD",
)


def mapping_options() -> list[str]:
    """Return the --map options for what `write_handbook` wrote."""
    return [part for column in HANDBOOK_COLUMNS for part in ("--map", column)]


def write_eurusd(folder: Path, target: Path, days: int) -> int:
    """Write the first days of EUR/USD quotes as CSV; return how many quotes they are."""
    parts = []
    for path in sorted(folder.glob("*_quote.zip"))[:days]:
        midnight = np.datetime64(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}", "ns").astype(np.int64)
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as lines:
            quotes = np.loadtxt(lines, delimiter=",")
        parts.append((midnight + quotes[:, 0].astype(np.int64) * 1_000_000, quotes[:, 1], quotes[:, 2]))
    time_ns, bid, ask = (np.concatenate(column) for column in zip(*parts, strict=True))
    pyarrow.csv.write_csv(
        pa.table({"symbol": ["EURUSD"] * len(bid), "event_time": time_ns, "bid": bid, "ask": ask}), target
    )
    return len(bid)
