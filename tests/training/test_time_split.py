from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from real_input import HANDBOOK_COLUMNS, write_handbook

from training.console import parse_day, parse_mapping
from training.history import DAY_NS, read_history
from training.simulator import START_NS, simulate_transactions
from training.time_split import SplitError, Windows, split

FIRST_DAY = START_NS // DAY_NS
HISTORY = simulate_transactions(customers=300, merchants=20, days=40, seed=2)


def windows(train: tuple[int, int], test: tuple[int, int], delay_days: int = 7) -> Windows:
    """Return windows by days from the history's first."""
    return Windows(
        FIRST_DAY + train[0], FIRST_DAY + train[1], FIRST_DAY + test[0], FIRST_DAY + test[1], delay_days=delay_days
    )


def test_each_row_is_where_its_day_puts_it() -> None:
    """Row by row: the training window, the days between, and the test without the cards known to be compromised."""
    parts = split(HISTORY, windows((5, 14), (22, 30)))
    train, between, test = (set(one.tolist()) for one in (parts.train, parts.between, parts.test))
    for row in range(len(HISTORY)):
        day = int(HISTORY.event_time_ns[row] // DAY_NS - FIRST_DAY)
        assert (row in train) == (5 <= day <= 14)
        assert (row in between) == (15 <= day <= 21)
        known_bad = any(
            HISTORY.fraud[other]
            and HISTORY.customer_id[other] == HISTORY.customer_id[row]
            and 5 <= HISTORY.event_time_ns[other] // DAY_NS - FIRST_DAY < day - 7
            for other in np.flatnonzero(HISTORY.fraud).tolist()
        )
        assert (row in test) == (22 <= day <= 30 and not known_bad)


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        ((5, 14), (14, 20), "must be in this order"),
        ((14, 5), (22, 30), "must be in this order"),
        ((5, 14), (21, 30), "--test-from: is 7 days after --train-to"),
        ((100, 110), (130, 140), "--train-from/--train-to: the window has 0 transactions"),
        ((5, 14), (100, 110), "--test-from/--test-to: the window has 0 transactions"),
    ],
)
def test_windows_that_cannot_be_used_are_named(train: tuple[int, int], test: tuple[int, int], told: str) -> None:
    """The error names the options and the remedy."""
    with pytest.raises(SplitError) as refused:
        split(HISTORY, windows(train, test))
    assert told in str(refused.value)


def test_a_window_without_fraud_is_refused() -> None:
    """Nothing can be learnt where nothing is fraud."""
    genuine = replace(HISTORY, fraud=np.zeros(len(HISTORY), dtype=np.bool_))
    with pytest.raises(SplitError, match="0 frauds"):
        split(genuine, windows((5, 14), (22, 30)))


def test_the_handbooks_windows_have_the_published_counts(shared_data: Path, tmp_path: Path) -> None:
    """67,240 transactions with 598 frauds to train on, 58,264 with 385 to test on."""
    path = tmp_path / "handbook.parquet"
    write_handbook(shared_data / "fraud/handbook_20180401_20180814.parquet", path, "2018-07-25", "2018-08-14")
    history = read_history(path, parse_mapping(list(HANDBOOK_COLUMNS)))
    first, last, test_first, test_last = (
        parse_day("", day) for day in ("2018-07-25", "2018-07-31", "2018-08-08", "2018-08-14")
    )
    assert first == (date(2018, 7, 25) - date(1970, 1, 1)).days
    parts = split(history, Windows(first, last, test_first, test_last, delay_days=7))
    assert (len(parts.train), int(history.fraud[parts.train].sum())) == (67_240, 598)
    assert (len(parts.test), int(history.fraud[parts.test].sum())) == (58_264, 385)
