import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from risk.bars.closed_bars import CLOSED_BAR
from risk.market.golden_bars import GoldenBars, first_difference, golden_bars, golden_bars_bytes, read_golden_bars
from tests.closed_bars import bars_of
from tests.small_market_bundle import small_market_bundle

SMALL = small_market_bundle()
OUTCOMES = ("next_variance_percent2", "risk", "forecast")


@pytest.fixture(scope="module")
def golden() -> GoldenBars:
    """Give golden bars of three symbols, one of them unknown to training."""
    return golden_bars(SMALL.parameters, SMALL.graphs, bars_of(["A", "B", "C"], 8))


def test_what_bars_lead_to_is_read_as_it_was_written(golden: GoldenBars) -> None:
    """Every column comes back bit for bit, and equal bars give equal bytes."""
    archive = golden_bars_bytes(golden)
    again = read_golden_bars(archive)
    assert again.bars.symbol == golden.bars.symbol
    for name in CLOSED_BAR.names or ():
        assert getattr(again.bars, name).tobytes() == getattr(golden.bars, name).tobytes()
    for name in OUTCOMES:
        assert getattr(again, name).tobytes() == getattr(golden, name).tobytes()
    assert golden_bars_bytes(again) == archive


def test_the_same_parameters_lead_to_the_same(golden: GoldenBars) -> None:
    """Bars that were read lead to what was written; every bar has a row of each outcome."""
    read = read_golden_bars(golden_bars_bytes(golden))
    assert first_difference(golden, golden_bars(SMALL.parameters, SMALL.graphs, read.bars)) is None
    assert {len(getattr(golden, name)) for name in OUTCOMES} == {24}


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1.0001])
def test_a_difference_is_found(golden: GoldenBars, name: str, wrong: float) -> None:
    """It is named with its place and both numbers; NaN is a difference too, on either side."""
    changed = getattr(golden, name).copy()
    at = (5,) if changed.ndim == 1 else (5, 1)
    assert changed[at] != 0.0
    changed[at] *= wrong
    other = replace(golden, **{name: changed})
    told = first_difference(golden, other)
    assert told is not None
    assert told.startswith(f"{name}{list(at)} of the golden bars is {changed[at]}, and was {getattr(golden, name)[at]}")
    assert first_difference(other, golden) is not None


def test_rounding_is_no_difference(golden: GoldenBars) -> None:
    """Other processors round otherwise."""
    assert first_difference(golden, replace(golden, risk=golden.risk * (1.0 + 1e-9))) is None


def test_another_shape_is_a_difference(golden: GoldenBars) -> None:
    """As of a bundle with a level of risk more."""
    told = first_difference(golden, replace(golden, risk=golden.risk[:, 1:]))
    assert told is not None
    assert told.startswith("risk has the shape")


def _archive(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "archive",
    [b"", b"PK\3\4", _archive(symbol=np.array(["A"])), _archive(symbol=np.array([{}], dtype=object))],
    ids=["empty", "cut", "incomplete", "pickled"],
)
def test_anything_else_is_refused(archive: bytes) -> None:
    """What is no archive of golden bars, or would run code, is a ValueError that says so."""
    with pytest.raises(ValueError, match="golden bars"):
        read_golden_bars(archive)
