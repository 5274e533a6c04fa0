"""The support vector machine with a Gaussian kernel."""

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC

from training.classifier import Classifier, check_rows

MAX_ROWS = 8_000
"""Rows fitted to at most: the cost grows with their square, and each alert costs one kernel a support vector."""


def fit_kernel_svm(
    normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_], *, seed: int, inverse_penalty: float = 1.0
) -> Classifier:
    """Fit a machine of kernel exp(-|x - s|^2 / F) to at most MAX_ROWS rows, and make its margin a probability.

    `inverse_penalty` is C. All frauds are kept, up to half of MAX_ROWS, and a sample of the others. Platt's sigmoid is
    fitted to margins of cross-validation, as for the linear machine; that there are fewer genuine rows than there were
    is then taken out of the log odds (King and Zeng 2001, "Logistic regression in rare events data", prior correction).
    """
    check_rows(normalised, fraud)
    random = np.random.default_rng(seed)
    frauds, others = np.flatnonzero(fraud), np.flatnonzero(~fraud)
    kept_frauds = random.permutation(frauds)[: MAX_ROWS // 2]
    kept_others = random.permutation(others)[: MAX_ROWS - len(kept_frauds)]
    rows = np.sort(np.concatenate([kept_frauds, kept_others]))
    margin = SVC(kernel="rbf", C=inverse_penalty, gamma=1.0 / normalised.shape[1], random_state=seed)
    estimator = CalibratedClassifierCV(margin, method="sigmoid", cv=5, ensemble=False)
    estimator.fit(normalised[rows], fraud[rows])
    shift = np.log(len(kept_others) / len(others)) - np.log(len(kept_frauds) / len(frauds))
    return Classifier("kernel_svm", estimator, log_odds_shift=float(shift))
