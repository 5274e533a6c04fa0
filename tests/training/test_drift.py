import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from training.drift import drift, population_stability

columns = st.lists(st.one_of(st.integers(-3, 3).map(float), st.just(math.nan)), min_size=3, max_size=60)


def plain_index(train: list[float], test: list[float]) -> float:
    """Return the index by counting row by row."""
    known = [value for value in train if not math.isnan(value)]
    edges = sorted({float(np.quantile(known, tenth / 10)) for tenth in range(1, 10)}) if known else []

    def shares(column: list[float]) -> dict[object, float]:
        counts: dict[object, int] = {}
        for value in column:
            bin_of = "missing" if math.isnan(value) else sum(value > edge for edge in edges)
            counts[bin_of] = counts.get(bin_of, 0) + 1
        return {bin_of: count / len(column) for bin_of, count in counts.items()}

    p, q = shares(train), shares(test)
    total = 0.0
    for bin_of in {*p, *q}:
        one, other = max(p.get(bin_of, 0.0), 1e-4), max(q.get(bin_of, 0.0), 1e-4)
        total += (other - one) * math.log(other / one)
    return total


@given(columns, columns)
def test_the_index_is_counted_over_deciles(train: list[float], test: list[float]) -> None:
    """Ties, missing values, and a column that is missing whole are counted as row by row."""
    found = population_stability("a", np.array(train), np.array(test))
    assert found.psi == pytest.approx(plain_index(train, test), abs=1e-12)
    assert found.train_missing == pytest.approx(np.isnan(train).mean())
    assert found.test_missing == pytest.approx(np.isnan(test).mean())


def test_the_bound_by_chance_is_exceeded_once_in_twenty() -> None:
    """Of 400 pairs of samples of one distribution about 20 exceed it, the chi-square's 5 %."""
    random = np.random.default_rng(2)
    above = 0
    for _ in range(400):
        found = population_stability("a", random.normal(size=3000), random.normal(size=2000))
        above += found.psi > found.by_chance
    assert 8 <= above <= 36


def test_what_moved_comes_first() -> None:
    """The feature that scipy's test finds moved is at the head, above the bound; the others are below 0.1."""
    random = np.random.default_rng(3)
    train, test = random.normal(size=(4000, 3)), random.normal(size=(4000, 3))
    test[:, 1] += 0.7
    found = drift(["still", "moved", "calm"], train, test, {})
    assert ks_2samp(train[:, 1], test[:, 1]).pvalue < 1e-9
    assert found[0].feature == "moved"
    assert found[0].psi > 0.25 > 0.1 > max(found[1].psi, found[2].psi)


def test_a_flag_that_grows_is_found() -> None:
    """A column of noughts and ones has few edges; the index is that of its two shares."""
    train, test = np.repeat([0.0, 1.0], [950, 50]), np.repeat([0.0, 1.0], [800, 200])
    expected = (0.8 - 0.95) * math.log(0.8 / 0.95) + (0.2 - 0.05) * math.log(0.2 / 0.05)
    assert population_stability("flag", train, test).psi == pytest.approx(expected)


@given(st.lists(st.integers(-1, 14), min_size=1, max_size=60), st.lists(st.integers(-1, 14), min_size=1, max_size=60))
def test_each_category_is_a_bin(train: list[int], test: list[int]) -> None:
    """However many there are, and rare ones too, the index is that of the categories' shares; unknown is one more."""
    shares = [[max(column.count(code) / len(column), 1e-4) for code in {*train, *test}] for column in (train, test)]
    expected = sum((q - p) * math.log(q / p) for p, q in zip(*shares, strict=True))
    found = population_stability("home", np.array(train, float), np.array(test, float), categories=15)
    assert found.psi == pytest.approx(expected, abs=1e-12)
    assert found.train_missing == 0.0
