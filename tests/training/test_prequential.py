from itertools import pairwise

import numpy as np
import pytest

from risk.bundle import normaliser_from
from training.classifiers import FITS
from training.evaluation import evaluate
from training.features import transaction_features
from training.history import DAY_NS
from training.learning_curve import learning_curve
from training.normaliser_statistics import normaliser_statistics
from training.prequential import prequential, prequential_windows
from training.refit import Refit, refitter
from training.simulator import START_NS, simulate_transactions
from training.time_split import SplitError, Windows, split

FIRST_DAY = START_NS // DAY_NS
HISTORY = simulate_transactions(customers=300, merchants=50, days=60, seed=12)
WINDOWS = Windows(FIRST_DAY + 30, FIRST_DAY + 43, FIRST_DAY + 51, FIRST_DAY + 57, delay_days=7)


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    """Give the features of the simulated history."""
    return transaction_features(HISTORY)


@pytest.fixture(scope="module")
def refit(features: np.ndarray) -> Refit:
    """Give what fits a logistic regression to rows of it."""
    return refitter(
        features,
        HISTORY.fraud,
        HISTORY.event_time_ns,
        "logistic_regression",
        normaliser="zscore",
        half_life_days=None,
        seed=0,
    )


def test_folds_go_back_by_the_length_of_the_test() -> None:
    """Windows keep their lengths and distances, tests follow each other without a gap, and the last is as given."""
    windows = prequential_windows(WINDOWS, 3)
    assert windows[-1] == WINDOWS
    for earlier, later in pairwise(windows):
        assert earlier.test_to + 1 == later.test_from
        assert later.train_from - earlier.train_from == later.train_to - earlier.train_to == 7
        assert later.test_from - later.train_to == earlier.test_from - earlier.train_to


def test_each_fold_is_the_split_fitted_anew(refit: Refit, features: np.ndarray) -> None:
    """A fold's figures are those of a model fitted to its own window; the mean and deviation are over the folds."""
    found = prequential(HISTORY, refit, WINDOWS, 3)
    assert len(found.folds) == 3
    parts = split(HISTORY, Windows(FIRST_DAY + 16, FIRST_DAY + 29, FIRST_DAY + 37, FIRST_DAY + 43, delay_days=7))
    statistics = normaliser_statistics(features[parts.train], "zscore", None)
    normaliser = normaliser_from(statistics)
    of_train, of_test = (
        normaliser.advance(features[one], HISTORY.event_time_ns[one]) for one in (parts.train, parts.test)
    )
    score = FITS["logistic_regression"](of_train, HISTORY.fraud[parts.train], seed=0).probability(of_test)
    customers = [HISTORY.customer_id[at] for at in parts.test.tolist()]
    expected = evaluate(score, HISTORY.fraud[parts.test], customers, HISTORY.event_time_ns[parts.test])
    assert found.folds[0].figures == pytest.approx(expected)
    assert found.folds[0].rows == len(parts.test)
    values = [fold.figures["auc"] for fold in found.folds]
    assert found.mean["auc"] == pytest.approx(np.mean(values))
    assert found.deviation["auc"] == pytest.approx(np.std(values, ddof=1))
    assert [fold.test_from.isoformat() for fold in found.folds] == sorted(
        fold.test_from.isoformat() for fold in found.folds
    )


def test_a_history_too_short_for_the_folds_is_refused(refit: Refit) -> None:
    """The message names the option, the day that is wanted and how many folds there may be."""
    with pytest.raises(SplitError, match=r"--folds 9: .* the history begins on .*; give 5 at most"):
        prequential(HISTORY, refit, WINDOWS, 9)


def test_a_learning_curve_grows_from_the_last_rows(refit: Refit) -> None:
    """The last point learns from all rows and tests as the split does; the first has an eighth of them."""
    parts = split(HISTORY, WINDOWS)
    curve = learning_curve(refit, HISTORY.fraud, parts.train, parts.test)
    assert [point.fraction for point in curve] == [0.125, 0.25, 0.5, 1.0]
    assert [point.rows for point in curve] == [round(part * len(parts.train)) for part in (0.125, 0.25, 0.5, 1.0)]
    score = refit(parts.train)(parts.test)
    customers = [HISTORY.customer_id[at] for at in parts.test.tolist()]
    whole = evaluate(score, HISTORY.fraud[parts.test], customers, HISTORY.event_time_ns[parts.test])
    assert curve[-1].test == pytest.approx(whole["average_precision"])
    last = parts.train[-curve[0].rows :]
    assert curve[0].targets == HISTORY.fraud[last].sum()
