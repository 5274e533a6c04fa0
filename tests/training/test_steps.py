"""Every step of preparation computes what its peer in scikit-learn does, in the one form in which it leaves."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, PolynomialFeatures, RobustScaler
from sklearn.preprocessing import StandardScaler as ZScaler

from risk.table_columns import UNKNOWN, TableColumn
from training.graph import FEATURES, Graph
from training.information_value import information_value
from training.steps.bound import BOUND, Bound
from training.steps.impute import fit_impute
from training.steps.one_hot import fit_one_hot
from training.steps.ordinal import fit_ordinal
from training.steps.outliers import By, fit_winsorise, ordinary_rows, outlier_limits
from training.steps.polynomial import fit_polynomial
from training.steps.project import fit_project
from training.steps.ratio import fit_ratio
from training.steps.scale import fit_scale
from training.steps.step import Step, StepError, run_step
from training.steps.weight_of_evidence import fit_weight_of_evidence

ROWS = 10_000
NUMBERS = tuple(TableColumn(name) for name in ("age", "income", "debt"))
HOME = TableColumn("home", categories=("own", "rent", "tent"))
COLUMNS = (*NUMBERS, HOME)


def rows(*, gaps: bool) -> npt.NDArray[np.float64]:
    """Return encoded rows of COLUMNS, of unlike scales, a tenth missing if asked for."""
    random = np.random.default_rng(3)
    matrix = np.column_stack(
        [
            random.normal(40.0, 12.0, ROWS).round(),
            random.lognormal(10.0, 1.0, ROWS),
            random.standard_t(2, ROWS),
            random.integers(0, 3, ROWS).astype(np.float64),
        ]
    )
    if gaps:
        matrix[random.random(matrix.shape) < 0.1] = np.nan
    return matrix


WHOLE, GAPPED = rows(gaps=False), rows(gaps=True)
TARGET = WHOLE[:, 0] + 5.0 * WHOLE[:, 3] > np.random.default_rng(4).normal(45.0, 10.0, ROWS)

EVERY: dict[str, Callable[[], Step]] = {
    "bound": lambda: Bound(COLUMNS),
    "impute": lambda: fit_impute(COLUMNS, GAPPED, [0, 1, 2], by="median", value=None, indicator=True),
    "winsorise": lambda: fit_winsorise(COLUMNS, GAPPED, [0, 1, 2], by="iqr", factor=1.5),
    "scale": lambda: fit_scale(COLUMNS, GAPPED, [0, 1, 2], by="robust"),
    "one hot": lambda: fit_one_hot(COLUMNS, GAPPED, [3], drop_first=False),
    "ordinal": lambda: fit_ordinal(COLUMNS, 3, order=["tent", "rent", "own"]),
    "weight of evidence": lambda: fit_weight_of_evidence(
        COLUMNS, GAPPED, TARGET, [0, 1, 2, 3], min_share=0.05, monotone=True
    ),
    "polynomial": lambda: fit_polynomial(COLUMNS, [0, 1, 2], degree=3, interactions_only=False),
    "ratio": lambda: fit_ratio(COLUMNS, [0, 1], 2),
    "project": lambda: fit_project(COLUMNS, WHOLE, TARGET, [0, 1, 2], by="pca", components=2),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_row_is_prepared_alike_alone_and_among_others(name: str) -> None:
    """Each row comes out with the same bits in a run of any length, and as many columns as the step names."""
    step = EVERY[name]()
    together = run_step(step, GAPPED[:1500])
    assert together.shape == (1500, len(step.columns))
    assert len({column.name for column in step.columns}) == len(step.columns)
    for first, last in ((0, 1), (3, 10), (7, 1031), (1400, 1500)):
        assert run_step(step, GAPPED[first:last]).tobytes() == together[first:last].tobytes()


@pytest.mark.parametrize("name", EVERY)
def test_extremes_and_infinities_stay_numbers(name: str) -> None:
    """After the bound, no step makes NaN of a number, however great."""
    extreme = np.array([[np.inf, -np.inf, 1e300, 1.0], [-np.inf, np.inf, -1e300, UNKNOWN], [0.0, 0.0, 0.0, 2.0]])
    bounded = run_step(Bound(COLUMNS), extreme)
    assert np.abs(bounded).max() == BOUND
    prepared = run_step(EVERY[name](), bounded)
    # What is unknown has no place in an order, and is missing from it.
    assert np.isnan(prepared).sum() == (1 if name == "ordinal" else 0)


@pytest.mark.parametrize("by", ["mean", "median", "most_frequent", "constant"])
def test_imputation_is_that_of_scikit_learn(by: str) -> None:
    """Values, and the indicators that converters drop, are those of SimpleImputer."""
    value = 7.0 if by == "constant" else None
    step = fit_impute(NUMBERS, GAPPED[:, :3], [0, 1, 2], by=by, value=value, indicator=True)  # type: ignore[arg-type]
    peer = SimpleImputer(strategy=by, fill_value=value, add_indicator=True).fit(GAPPED[:, :3])
    np.testing.assert_allclose(run_step(step, GAPPED[:, :3]), peer.transform(GAPPED[:, :3]), rtol=1e-12)
    assert step.columns[3].name == "age is missing"


def test_only_chosen_columns_are_imputed_and_only_gaps_flagged() -> None:
    """A column that is not chosen keeps its gaps; one without gaps in training gets no indicator."""
    matrix = GAPPED.copy()
    matrix[:, 0] = 1.0
    step = fit_impute(COLUMNS, matrix, [0, 3], by="most_frequent", value=None, indicator=True)
    prepared = run_step(step, matrix)
    assert [column.name for column in step.columns[4:]] == ["home is missing"]
    np.testing.assert_array_equal(prepared[:, 1], matrix[:, 1])
    assert not np.isnan(prepared[:, [0, 3]]).any()


@pytest.mark.parametrize(
    ("by", "peer"), [("zscore", ZScaler()), ("minmax", MinMaxScaler()), ("robust", RobustScaler())]
)
def test_scaling_is_that_of_scikit_learn(by: str, peer: ZScaler) -> None:
    """Scaled values agree, missing ones stay missing, a constant column is centred."""
    matrix = GAPPED.copy()
    matrix[:, 2] = 5.0
    step = fit_scale(COLUMNS, matrix, [0, 1, 2], by=by)  # type: ignore[arg-type]
    prepared = run_step(step, matrix)
    np.testing.assert_allclose(prepared[:, :3], peer.fit_transform(matrix[:, :3]), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(prepared[:, 3], matrix[:, 3])


def test_one_hot_is_that_of_scikit_learn() -> None:
    """Known categories agree; an unknown one, a missing one and a fraction are no category at all."""
    step = fit_one_hot(COLUMNS, WHOLE, [3], drop_first=False)
    peer = ColumnTransformer([("keep", "passthrough", [0, 1, 2]), ("encode", OneHotEncoder(), [3])], sparse_threshold=0)
    np.testing.assert_array_equal(run_step(step, WHOLE), peer.fit_transform(WHOLE))
    odd = np.array([[0.0, 0.0, 0.0, code] for code in (UNKNOWN, np.nan, 1.5, 3.0)])
    assert not run_step(step, odd).any()
    assert [column.name for column in step.columns[3:]] == ["home=own", "home=rent", "home=tent"]
    assert len(fit_one_hot(COLUMNS, WHOLE, [3], drop_first=True).columns) == 5


def test_ordinal_is_that_of_scikit_learn() -> None:
    """Categories get their place in the order; what is unknown or missing is missing."""
    step = fit_ordinal(COLUMNS, 3, order=["tent", "rent", "own"])
    names = np.array(HOME.categories)[WHOLE[:, 3].astype(int)][:, None]
    expected = OrdinalEncoder(categories=[["tent", "rent", "own"]]).fit_transform(names)
    prepared = run_step(step, WHOLE)
    np.testing.assert_array_equal(prepared[:, 3:], expected)
    np.testing.assert_array_equal(prepared[:, :3], WHOLE[:, :3])
    assert np.isnan(run_step(step, np.array([[0.0, 0.0, 0.0, UNKNOWN], [0.0, 0.0, 0.0, np.nan]]))[:, 3]).all()


@pytest.mark.parametrize("interactions_only", [False, True])
def test_products_are_those_of_scikit_learn(interactions_only: bool) -> None:
    """Powers and products up to the third degree agree, in the same order."""
    step = fit_polynomial(NUMBERS, [0, 1, 2], degree=3, interactions_only=interactions_only)
    peer = PolynomialFeatures(3, interaction_only=interactions_only, include_bias=False).fit(WHOLE[:, :3])
    np.testing.assert_allclose(run_step(step, WHOLE[:, :3]), peer.transform(WHOLE[:, :3]), rtol=1e-12)


def test_a_ratio_to_nothing_is_nothing() -> None:
    """Quotients are numpy's, with gaps kept; a denominator of 0 gives 0, whatever is above it."""
    matrix = GAPPED.copy()
    matrix[::7, 2] = 0.0
    prepared = run_step(fit_ratio(COLUMNS, [0, 1], 2), matrix)
    below = np.where(matrix[:, 2:3] == 0.0, np.inf, matrix[:, 2:3])
    expected = np.where(matrix[:, 2:3] == 0.0, 0.0, matrix[:, :2] / below)
    np.testing.assert_array_equal(prepared[:, 4:], expected)
    np.testing.assert_array_equal(prepared[:, :4], matrix)


@pytest.mark.parametrize("components", [2, 0.9])
def test_principal_components_are_those_of_scikit_learn(components: float) -> None:
    """Projections agree, by number of components and by variance kept."""
    scaled = run_step(fit_scale(NUMBERS, WHOLE[:, :3], [0, 1, 2], by="zscore"), WHOLE[:, :3])
    step = fit_project(NUMBERS, scaled, TARGET, [0, 1, 2], by="pca", components=components)
    expected = PCA(components, svd_solver="full").fit_transform(scaled)
    np.testing.assert_allclose(run_step(step, scaled), expected, rtol=1e-9, atol=1e-9)


def test_the_discriminant_is_that_of_scikit_learn() -> None:
    """Fisher's direction leaves as a transformation, which converters take for a classifier."""
    step = fit_project(COLUMNS, WHOLE, TARGET, [0, 1, 2], by="lda", components=None)
    expected = LinearDiscriminantAnalysis().fit(WHOLE[:, :3], TARGET).transform(WHOLE[:, :3])
    prepared = run_step(step, WHOLE)
    np.testing.assert_allclose(prepared[:, 1:], expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(prepared[:, 0], WHOLE[:, 3])


@pytest.mark.parametrize(("by", "factor"), [("quantile", 0.05), ("iqr", 1.5), ("zscore", 2.0)])
def test_outliers_are_pulled_in_or_their_rows_left_out(by: By, factor: float) -> None:
    """Values beyond the limits come out at the limits, the others as they are; rows with one are told apart."""
    low, high = outlier_limits(GAPPED[:, :3], by=by, factor=factor)
    step = fit_winsorise(COLUMNS, GAPPED, [0, 1, 2], by=by, factor=factor)
    prepared = run_step(step, GAPPED)
    np.testing.assert_array_equal(prepared[:, :3], np.clip(GAPPED[:, :3], low, high))
    np.testing.assert_array_equal(prepared[:, 3], GAPPED[:, 3])
    kept = ordinary_rows(COLUMNS, GAPPED, [0, 1, 2], by=by, factor=factor)
    np.testing.assert_array_equal(kept, ((prepared == GAPPED) | np.isnan(GAPPED)).all(axis=1))
    assert 0 < int((~kept).sum()) < ROWS // 2


def evidence_by_hand(values: npt.NDArray[np.bool_], target: npt.NDArray[np.bool_]) -> float:
    """Return the weight of evidence of a group of rows, by its definition."""
    bad, good = (values & target).sum() + 0.5, (values & ~target).sum() + 0.5
    return float(np.log((good / ((~target).sum() + 0.5)) / (bad / (target.sum() + 0.5))))


def test_evidence_is_that_of_the_bin_a_value_lies_in() -> None:
    """Each value becomes ln(share of non-events / share of events) of its bin, gaps that of a bin of their own."""
    step = fit_weight_of_evidence(COLUMNS, GAPPED, TARGET, [0, 3], min_share=0.05, monotone=True)
    prepared = run_step(step, GAPPED)
    for place, bins in zip(step.chosen, step.bins, strict=True):
        values = GAPPED[:, place]
        for one in bins:
            inside = np.isnan(values) if np.isnan(one.low) else (values > one.low) & (values <= one.high)
            assert (one.rows, one.events) == (int(inside.sum()), int((inside & TARGET).sum()))
            np.testing.assert_allclose(prepared[inside, place], evidence_by_hand(inside, TARGET), rtol=1e-12)
        assert sum(one.rows for one in bins) == ROWS
        counts = (np.array([getattr(one, name) for one in bins]) for name in ("rows", "events"))
        assert information_value(*counts) > 0.01
    np.testing.assert_array_equal(prepared[:, 1], GAPPED[:, 1])
    assert run_step(step, np.array([[0.0, 0.0, 0.0, UNKNOWN]]))[0, 3] == 0.0


@given(
    values=arrays(np.float64, 300, elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 2))),
    share=st.floats(0.0, 0.4),
    seed=st.integers(0, 2**32 - 1),
)
def test_monotone_bins_rise_or_fall_and_are_large_enough(
    values: npt.NDArray[np.float64], share: float, seed: int
) -> None:
    """Whatever the values, evidence runs one way over a number's bins, and no bin but an only one is too small."""
    target = np.random.default_rng(seed).random(300) < 0.3
    target[:2] = True, False
    step = fit_weight_of_evidence(NUMBERS[:1], values[:, None], target, [0], min_share=share, monotone=True)
    (bins,) = step.bins
    shares = [one.events / one.rows for one in bins]
    assert sorted(shares) in (shares, shares[::-1])
    assert len(bins) == 1 or min(one.rows for one in bins) >= share * 300
    assert [one.high for one in bins[:-1]] == [one.low for one in bins[1:]]
    assert (bins[0].low, bins[-1].high) == (-np.inf, np.inf)


def test_rare_categories_share_their_evidence() -> None:
    """Categories below the least share are pooled, and each still has a bin that is called by its name."""
    matrix = WHOLE.copy()
    matrix[:, 3] = np.where(np.arange(ROWS) < 40, 1.0, np.where(np.arange(ROWS) < 90, 2.0, 0.0))
    step = fit_weight_of_evidence(COLUMNS, matrix, TARGET, [3], min_share=0.02, monotone=True)
    (bins,) = step.bins
    assert [one.label for one in bins] == ["own", "rent", "tent"]
    assert bins[1].woe == bins[2].woe
    assert bins[1].rows == 90


@pytest.mark.parametrize(
    ("fit", "says"),
    [
        (lambda: fit_impute(COLUMNS, WHOLE, [3], by="mean", value=None, indicator=False), "'home': holds categories"),
        (lambda: fit_impute(COLUMNS, WHOLE, [0], by="constant", value=None, indicator=False), "value: is needed"),
        (
            lambda: fit_impute(COLUMNS, np.full((9, 4), np.nan), [0], by="mean", value=None, indicator=False),
            "'age': has no value to learn from",
        ),
        (lambda: fit_scale(COLUMNS, WHOLE, [3], by="zscore"), "'home': holds categories; encode them first"),
        (lambda: fit_one_hot(COLUMNS, WHOLE, [0], drop_first=False), "'age': holds numbers"),
        (lambda: fit_ordinal(COLUMNS, 3, order=["own", "rent"]), "order: has 'tent' 0 times"),
        (lambda: fit_project(COLUMNS, GAPPED, TARGET, [0, 1], by="pca", components=2), "'age': has missing values"),
        (lambda: fit_project(COLUMNS, WHOLE, TARGET, [0, 1], by="pca", components=3), "components: is 3; give 1 to 2"),
        (
            lambda: fit_weight_of_evidence(
                COLUMNS, WHOLE, np.zeros(ROWS, dtype=np.bool_), [0], min_share=0.05, monotone=True
            ),
            "target: has 0 events",
        ),
    ],
)
def test_a_step_that_does_not_fit_says_why(fit: Callable[[], Step], says: str) -> None:
    """The message names the column or the setting, and what to do."""
    with pytest.raises(StepError, match=says):
        fit()


def test_bounds_by_column_keep_what_is_missing() -> None:
    """Max and Min pass NaN on: a gap never becomes a limit."""
    graph = Graph()
    step = fit_winsorise(NUMBERS, WHOLE[:, :3], [0, 1, 2], by="iqr", factor=1.5)
    assert step.add(graph, FEATURES)
    assert np.isnan(run_step(step, np.full((3, 3), np.nan))).all()
