from itertools import accumulate
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from risk.normaliser import LIMIT, Normaliser, running_moments

Kind = Literal["zscore", "minmax"]
KINDS: tuple[Kind, ...] = ("zscore", "minmax")
Stream = tuple[NDArray[np.float64], NDArray[np.int64]]
"""Features and event times."""
DAY_NS = 86_400_000_000_000
START_NS = 1_767_225_600_000_000_000

values = st.integers(-(10**9), 10**9).map(lambda one: one / 1_000)
with_gaps = st.one_of(values, values, st.just(np.nan))


def drawn(seed: int, rows: int) -> NDArray[np.float64]:
    """Return rows of features of very different scales, float64[rows, 4]."""
    draw = np.random.default_rng(seed)
    return draw.standard_normal((rows, 4)) * [1.0, 1e-6, 1e6, 3.0] + [0.0, 5.0, -1e9, 1e9]


def times_of(steps_days: list[float]) -> NDArray[np.int64]:
    """Return event times at the distances given."""
    return np.array([START_NS + int(day * DAY_NS) for day in accumulate(steps_days)], dtype=np.int64)


def test_frozen_zscores_are_those_of_scikit_learn() -> None:
    """With the statistics of StandardScaler, z-scores equal its transform bit for bit, on rows it has not seen."""
    scaler = StandardScaler().fit(drawn(1, 500))
    normaliser = Normaliser("zscore", scaler.mean_, scaler.scale_, half_life_days=None)
    unseen = drawn(2, 300)
    assert np.array_equal(normaliser.advance(unseen, np.zeros(300, dtype=np.int64)), scaler.transform(unseen))


def test_frozen_minmax_is_that_of_scikit_learn() -> None:
    """With the bounds of MinMaxScaler, values equal its transform, on rows outside the bounds too."""
    scaler = MinMaxScaler().fit(drawn(1, 500))
    normaliser = Normaliser("minmax", scaler.data_min_, scaler.data_range_, half_life_days=None)
    unseen = drawn(2, 300)
    found = normaliser.advance(unseen, np.zeros(300, dtype=np.int64))
    # scikit-learn adds two large numbers where we subtract first: its own result carries the error.
    resolution = np.abs(unseen).max(axis=0) / scaler.data_range_ * 4 * np.finfo(np.float64).eps
    assert np.all(np.abs(found - scaler.transform(unseen)) <= resolution)
    assert found.min() < 0.0 < 1.0 < found.max()


@given(arrays(np.float64, st.tuples(st.integers(1, 60), st.just(3)), elements=with_gaps), st.sampled_from([0.0, 1e9]))
def test_running_moments_are_those_of_two_passes(features: NDArray[np.float64], base: float) -> None:
    """Mean and deviation equal two passes in extended precision, without what is not finite, however large the mean."""
    features = features + base
    features[::7, 1] = np.inf
    mean, deviation = running_moments(features)
    for column in range(3):
        finite = features[np.isfinite(features[:, column]), column].astype(np.longdouble)
        expected = np.mean(finite) if len(finite) else np.longdouble(0)
        spread = np.sqrt(np.mean((finite - expected) ** 2)) if len(finite) else np.longdouble(0)
        scale = float(np.abs(finite).max(initial=0.0))
        assert mean[column] == pytest.approx(float(expected), abs=1e-14 * scale)
        assert deviation[column] == pytest.approx(float(spread), rel=1e-6, abs=1e-13 * scale)


def test_running_moments_are_those_of_scikit_learn() -> None:
    """Mean and deviation equal what StandardScaler learns portion by portion, and numpy's."""
    features = drawn(3, 5_000)
    mean, deviation = running_moments(features)
    scaler = StandardScaler()
    for portion in np.array_split(features, 13):
        scaler.partial_fit(portion)
    np.testing.assert_allclose(mean, scaler.mean_, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(deviation, np.sqrt(scaler.var_), rtol=1e-8)
    np.testing.assert_allclose(deviation, np.std(features.astype(np.longdouble), axis=0).astype(float), rtol=1e-8)


streams = st.integers(0, 40).flatmap(
    lambda rows: st.tuples(
        arrays(np.float64, (rows, 2), elements=st.one_of(st.floats(-100.0, 100.0), st.just(np.nan))),
        st.lists(st.one_of(st.just(0.0), st.floats(-1.0, 20.0)), min_size=rows, max_size=rows).map(times_of),
    )
)


@given(streams, st.sampled_from([2.0, 5.0, 30.0]))
def test_adapting_zscores_are_those_of_explicit_weights(stream: Stream, half_life_days: float) -> None:
    """Each row is taken by the weighted statistics of training and of the rows before it, halved each half-life."""
    features, time_ns = stream
    centre, scale = np.array([5.0, -3.0]), np.array([20.0, 0.5])
    found = Normaliser("zscore", centre, scale, half_life_days=half_life_days).advance(features, time_ns)
    clock = np.maximum.accumulate(time_ns)
    for column, at in np.ndindex(2, len(features)):
        value, known = features[at, column], np.isfinite(features[:at, column])
        half_lives = (clock[at] - clock[:at][known]) / DAY_NS / half_life_days
        prior = 1_000 * 0.5 ** ((clock[at] - clock[0]) / DAY_NS / half_life_days)
        weights = np.append(0.5**half_lives, prior)
        # Whatever weight is left of a past, it keeps at least a billionth of a row's.
        assume(weights.sum() > 1e-9)
        means = np.append(features[:at, column][known], centre[column])
        mean = np.average(means, weights=weights)
        variance = np.average((means - mean) ** 2, weights=weights) + scale[column] ** 2 * prior / weights.sum()
        if np.isnan(value):
            assert found[at, column] == 0.0
        elif variance > 1e-6:
            expected = (value - mean) / np.sqrt(variance)
            assert found[at, column] == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(streams, st.sampled_from([0.5, 3.0, 30.0]))
def test_adapting_bounds_are_those_of_a_plain_twin(stream: Stream, half_life_days: float) -> None:
    """Bounds lose half their distance from the middle each half-life, and open at once for what lies outside."""
    features, time_ns = stream
    centre, scale = [-5.0, 1.0], [20.0, 0.5]
    normaliser = Normaliser("minmax", np.array(centre), np.array(scale), half_life_days=half_life_days)
    found = normaliser.advance(features, time_ns)
    clock = np.maximum.accumulate(time_ns)
    for column in range(2):
        middle, half = centre[column] + scale[column] / 2, scale[column] / 2
        for at, value in enumerate(features[:, column].tolist()):
            expected = 0.0 if np.isnan(value) or half == 0.0 else (value - middle + half) / (2 * half)
            if half > 1e-6 or half == 0.0:
                assert found[at, column] == pytest.approx(min(max(expected, -LIMIT), LIMIT), rel=1e-6, abs=1e-6)
            if at:
                half *= 2.0 ** (-(clock[at] - clock[at - 1]) / DAY_NS / half_life_days)
            if np.isfinite(value):
                low, high = min(value, middle - half), max(value, middle + half)
                middle, half = (low + high) / 2, (high - low) / 2


def test_adapting_hardly_differs_from_counting_all_rows_alike() -> None:
    """With an enormous half-life, statistics are those of the training's thousand rows and all rows since."""
    training, since = drawn(4, 1_000), drawn(5, 400)
    scaler = StandardScaler().fit(training)
    normaliser = Normaliser("zscore", scaler.mean_, scaler.scale_, half_life_days=1e9)
    time_ns = START_NS + np.arange(400) * DAY_NS
    found = normaliser.advance(since, time_ns)
    for at in (0, 1, 50, 399):
        expected = StandardScaler().fit(np.vstack([training, since[:at]])).transform(since[at : at + 1])[0]
        np.testing.assert_allclose(found[at], expected, rtol=1e-6, atol=1e-6)

    bounds = MinMaxScaler().fit(training)
    adapting = Normaliser("minmax", bounds.data_min_, bounds.data_range_, half_life_days=1e9)
    seen = np.vstack([training, since])
    low, high = seen.min(axis=0), seen.max(axis=0)
    adapting.advance(since, time_ns)
    np.testing.assert_allclose(adapting.advance(since[:1], time_ns[-1:])[0], (since[0] - low) / (high - low), rtol=1e-6)


@pytest.mark.parametrize("half_life_days", [None, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_model_must_not_see_is_put_within_bounds(kind: Kind, half_life_days: float | None) -> None:
    """NaN and features without spread become 0, infinities and far values plus and minus a million."""
    centre, scale = np.array([2.0, 2.0]), np.array([4.0, 0.0])
    for value, expected in ((np.nan, 0.0), (np.inf, LIMIT), (-np.inf, -LIMIT), (1e300, LIMIT), (-1e300, -LIMIT)):
        normaliser = Normaliser(kind, centre, scale, half_life_days=half_life_days)
        found = normaliser.advance(np.array([[value, value]]), np.array([START_NS]))
        assert found.tolist() == [[expected, 0.0]]
        if not abs(value) < np.inf:
            # It has no part in the statistics either.
            assert normaliser.advance(np.array([[4.0, 2.0]]), np.array([START_NS])).tolist() == [[0.5, 0.0]]


def test_a_frozen_normaliser_has_nothing_to_remember() -> None:
    """Frozen statistics never change, and are never written to a checkpoint."""
    normaliser = Normaliser("zscore", np.array([1.0]), np.array([2.0]), half_life_days=None)
    before = normaliser.dump()
    normaliser.advance(np.array([[9.0]]), np.array([START_NS]))
    assert normaliser.take_changed() == []
    assert normaliser.dump() == before


def test_what_it_is_given_is_left_alone() -> None:
    """Neither the statistics nor the features that a normaliser is given are written to."""
    for kind in KINDS:
        for half_life_days in (None, 1.0):
            centre, scale, features = np.array([1.0]), np.array([2.0]), np.array([[9.0], [np.nan]])
            Normaliser(kind, centre, scale, half_life_days=half_life_days).advance(features, np.array([1, 2]))
            assert (centre.tolist(), scale.tolist(), features[0].tolist()) == ([1.0], [2.0], [9.0])


@given(streams, streams, st.sampled_from(KINDS))
def test_a_loaded_normaliser_goes_on_as_if_nothing_happened(before: Stream, after: Stream, kind: Kind) -> None:
    """Loaded from its packed row, it gives the same bits; the row is taken once after rows were."""
    centre, scale = np.array([5.0, -3.0]), np.array([20.0, 0.5])
    normaliser, loaded = (Normaliser(kind, centre, scale, half_life_days=2.0) for _ in range(2))
    normaliser.advance(*before)
    changed = normaliser.take_changed()
    assert len(changed) == (len(before[0]) > 0)
    assert normaliser.take_changed() == []
    loaded.load(changed)
    assert loaded.dump() == normaliser.dump()
    assert loaded.advance(*after).tobytes() == normaliser.advance(*after).tobytes()
    assert loaded.dump() == normaliser.dump()


def test_a_row_of_another_width_is_refused() -> None:
    """A packed row of fewer or more features is refused with both lengths."""
    two = Normaliser("zscore", np.zeros(2), np.ones(2), half_life_days=1.0)
    three = Normaliser("zscore", np.zeros(3), np.ones(3), half_life_days=1.0)
    with pytest.raises(ValueError, match="has 56 bytes, 80 are needed"):
        three.load(two.dump().items())
    with pytest.raises(ValueError, match="has 80 bytes, 56 are needed"):
        two.load(three.dump().items())
