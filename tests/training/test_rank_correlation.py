import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import spearmanr

from training.coded_column import code_column
from training.rank_correlation import correlated_pairs, spearman


@pytest.fixture(scope="module")
def columns() -> dict[str, npt.NDArray[np.float64]]:
    """Give columns that rise and fall together or not, with ties and gaps, longer than a block."""
    random = np.random.default_rng(3)
    base = random.normal(size=40_000)
    made = {
        "base": base,
        "cubed": base**3,
        "falling": -np.exp(base),
        "near": base + 0.15 * random.normal(size=40_000),
        "apart": random.normal(size=40_000),
        "tied": np.round(base, 1),
        "flags": (base > 0.0).astype(np.float64),
        "constant": np.ones(40_000),
    }
    made["gaps"] = np.where(random.random(40_000) < 0.6, np.nan, base)
    made["top"] = np.where(base < 1.0, np.nan, base)
    return made


def test_pairs_are_those_of_scipy(columns: dict[str, npt.NDArray[np.float64]]) -> None:
    """Every pair above the limit by scipy, on common rows, is found with scipy's correlation, and no other."""
    coded = {name: code_column(values) for name, values in columns.items()}
    found = {(pair.first, pair.second): pair.spearman for pair in correlated_pairs(coded, above=0.9)}
    names = [name for name in columns if name != "constant"]
    oracle = {}
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            value = spearmanr(columns[first], columns[second], nan_policy="omit").statistic
            if abs(value) > 0.9:
                oracle[first, second] = value
    assert found == pytest.approx(oracle, abs=1e-9)
    assert ("base", "falling") in found
    assert ("gaps", "top") in found
    assert ("base", "apart") not in found


def test_few_common_rows_tell_nothing() -> None:
    """Nine rows in common are too few, and a column that is constant on them has no correlation."""
    rising = np.arange(20.0)
    late = np.where(rising < 11, np.nan, rising)
    assert np.isnan(spearman(code_column(rising), code_column(late)))
    assert np.isnan(spearman(code_column(rising), code_column(np.zeros(20))))
    assert correlated_pairs({"rising": code_column(rising), "late": code_column(late)}, above=0.5) == ()
    assert correlated_pairs({}, above=0.5) == ()
