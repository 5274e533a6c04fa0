"""Ensembles of trees: random forest, gradient boosting by three libraries, isolation forest."""

import numpy as np
import numpy.typing as npt
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from xgboost import XGBClassifier

from training.classifier import Classifier, check_rows, in_single


def fit_random_forest(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    trees: int = 100,
    max_depth: int | None = None,
    leaf_rows: int = 2,
    feature_share: float = 0.5,
) -> Classifier:
    """Fit a random forest (Breiman 2001), by default of 100 trees as deep as they grow, on every processor.

    A split chooses among `feature_share` of the features, and a leaf holds `leaf_rows` at least: where a handful of
    rows are frauds, the square root of the features misses those that matter, and leaves of one row are learnt by
    heart. Arguments and errors as for `fit_logistic_regression`.
    """
    check_rows(normalised, fraud)
    estimator = RandomForestClassifier(
        n_estimators=trees,
        max_depth=max_depth,
        min_samples_leaf=leaf_rows,
        max_features=feature_share,
        random_state=seed,
        n_jobs=-1,
    )
    estimator.fit(normalised, fraud, sample_weight=weights)
    # Threads would add the trees' fractions up in any order, and a last bit of the original would change by the run.
    return Classifier("random_forest", estimator.set_params(n_jobs=1))


def fit_gradient_boosting(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    trees: int = 200,
    leaves: int = 8,
    learning_rate: float = 0.05,
) -> Classifier:
    """Fit scikit-learn's histogram gradient boosting, by default 200 trees of 8 leaves at a learning rate of 0.05.

    Small trees and slow steps: frauds are few, and leaves of one fraud are learnt by heart. Arguments and errors as for
    `fit_logistic_regression`.
    """
    check_rows(normalised, fraud)
    estimator = HistGradientBoostingClassifier(
        max_iter=trees,
        max_leaf_nodes=leaves,
        learning_rate=learning_rate,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    return Classifier("gradient_boosting", estimator.fit(in_single(normalised), fraud, sample_weight=weights))


def fit_lightgbm(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    trees: int = 200,
    leaves: int = 8,
    learning_rate: float = 0.05,
) -> Classifier:
    """Fit LightGBM (Ke et al. 2017), with the sizes of `fit_gradient_boosting`; one thread's sums, in one order.

    It tells 4,095 values of a feature apart, not 255: a limit that one amount in a thousand exceeds lies between two of
    those.
    """
    check_rows(normalised, fraud)
    estimator = LGBMClassifier(
        n_estimators=trees,
        num_leaves=leaves,
        learning_rate=learning_rate,
        max_bin=4095,
        reg_lambda=1.0,
        random_state=seed,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbose=-1,
    )
    return Classifier("lightgbm", estimator.fit(in_single(normalised), fraud, sample_weight=weights))


def fit_xgboost(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    trees: int = 100,
    max_depth: int = 3,
    learning_rate: float = 0.1,
) -> Classifier:
    """Fit XGBoost (Chen and Guestrin 2016) with exact splits, by default 100 trees of depth 3, learning rate 0.1."""
    check_rows(normalised, fraud)
    estimator = XGBClassifier(
        n_estimators=trees,
        max_depth=max_depth,
        learning_rate=learning_rate,
        tree_method="exact",
        base_score=0.5,
        random_state=seed,
        n_jobs=1,
    )
    return Classifier("xgboost", estimator.fit(in_single(normalised), fraud, sample_weight=weights))


def fit_isolation_forest(
    normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_], *, seed: int, trees: int = 100
) -> Classifier:
    """Fit an isolation forest (Liu, Ting and Zhou 2008) of trees of 256 rows each, labels unseen.

    Its score says how easily a row is told apart from all others; it is no probability.
    """
    check_rows(normalised, fraud)
    estimator = IsolationForest(n_estimators=trees, max_samples=min(256, len(normalised)), random_state=seed)
    return Classifier("isolation_forest", estimator.fit(normalised))
