"""Classifiers that are linear in the log odds: logistic regression, linear support vectors, linear discriminant."""

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from training.classifier import Classifier, check_rows


def fit_logistic_regression(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    inverse_penalty: float = 1.0,
) -> Classifier:
    """Fit a logistic regression with an L2 penalty of C = `inverse_penalty`; infinite is none.

    `normalised` float64[n, F], `fraud` bool[n] and, where rows shall not count alike, `weights` float64[n]; raises
    ValueError for features that are not finite, and unless both classes occur.

    >>> rows = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> classifier = fit_logistic_regression(rows, rows[:, 0] > 0.2, seed=0)
    >>> bool(classifier.probability(rows)[-1] > 0.5)
    True
    """
    check_rows(normalised, fraud)
    estimator = LogisticRegression(C=inverse_penalty, tol=1e-8, max_iter=10_000, random_state=seed)
    return Classifier("logistic_regression", estimator.fit(normalised, fraud, sample_weight=weights))


def fit_linear_svm(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    inverse_penalty: float = 1.0,
) -> Classifier:
    """Fit a linear support vector machine (squared hinge, C = `inverse_penalty`) and make its margin a probability.

    The margin is calibrated by Platt's sigmoid (Platt 1999, "Probabilistic outputs for support vector machines"),
    fitted to margins that five cross-validation fits give for rows they were not fitted to. Arguments and errors as
    for `fit_logistic_regression`; each class must occur five times.
    """
    check_rows(normalised, fraud)
    margin = LinearSVC(C=inverse_penalty, dual=False, max_iter=5000, random_state=seed)
    estimator = CalibratedClassifierCV(margin, method="sigmoid", cv=5, ensemble=False)
    return Classifier("linear_svm", estimator.fit(normalised, fraud, sample_weight=weights))


def fit_linear_discriminant(
    normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_], *, seed: int
) -> Classifier:
    """Fit Fisher's linear discriminant, as a classifier of two normal classes of one covariance; `seed` has no part.

    By singular values, so that features which depend on others do no harm (Hastie, Tibshirani and Friedman 2009,
    chapter 4.3). Arguments and errors as for `fit_logistic_regression`.
    """
    check_rows(normalised, fraud)
    return Classifier("linear_discriminant", LinearDiscriminantAnalysis().fit(normalised, fraud))
