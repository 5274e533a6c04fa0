"""Makes a score a probability: Platt's sigmoid or isotonic regression, fitted to rows that the model has not seen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from training.graph import Graph, Tensor

By = Literal["platt", "isotonic"]

_LEAST, _MOST = 1e-12, 1.0 - 1e-12


@dataclass(frozen=True, slots=True)
class Platt:
    """1 / (1 + exp(-(slope * log odds + offset)))."""

    slope: float
    offset: float

    def add(self, graph: Graph, score: Tensor) -> Tensor:
        """Add the nodes and return the probability, double [rows]."""
        bounded = graph.node("Min", graph.node("Max", score, _scalar(graph, _LEAST)), _scalar(graph, _MOST))
        odds = graph.node("Div", bounded, graph.node("Sub", _scalar(graph, 1.0), bounded))
        scaled = graph.node("Mul", graph.node("Log", odds), _scalar(graph, self.slope))
        return graph.node("Sigmoid", graph.node("Add", scaled, _scalar(graph, self.offset)))

    def apply(self, score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of scores float64[n]."""
        bounded = np.clip(score, _LEAST, _MOST)
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * np.log(bounded / (1.0 - bounded)) + self.offset))))


@dataclass(frozen=True, slots=True)
class Isotonic:
    """Straight lines between the points (`score`, `probability`), both ascending float64[K], flat beyond them."""

    score: npt.NDArray[np.float64]
    probability: npt.NDArray[np.float64]

    def add(self, graph: Graph, score: Tensor) -> Tensor:
        """Add the nodes: the sum over pieces of their slope times how far the score reaches into them."""
        width = np.diff(self.score)
        slope = np.divide(np.diff(self.probability), width, out=np.zeros_like(width), where=width > 0.0)
        column = graph.node("Reshape", score, graph.constant(np.array([-1, 1])))
        into = graph.node("Sub", column, graph.constant(self.score[None, :-1]))
        reached = graph.node("Min", graph.node("Max", into, _scalar(graph, 0.0)), graph.constant(width[None, :]))
        rise = graph.flat(graph.node("MatMul", reached, graph.constant(slope[:, None])))
        total = graph.node("Add", rise, _scalar(graph, float(self.probability[0])))
        return graph.node("Min", graph.node("Max", total, _scalar(graph, 0.0)), _scalar(graph, 1.0))

    def apply(self, score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of scores float64[n]."""
        return np.asarray(np.interp(score, self.score, self.probability), dtype=np.float64)


Calibration = Platt | Isotonic


def fit_calibration(score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], *, by: By) -> Calibration:
    """Return the calibration of scores float64[n] in 0 to 1 to outcomes bool[n], both of which must occur.

    "platt" is a logistic regression on the log odds (Platt 1999), without a penalty and with his smoothed targets, so
    that it is finite where the classes part; "isotonic" is the nearest probability that never falls as the score rises
    (Zadrozny and Elkan 2002), which needs about a thousand rows.

    >>> score = np.linspace(0.01, 0.99, 200)
    >>> bool(fit_calibration(score, score > 0.7, by="platt").apply(np.array([0.5]))[0] < 0.5)
    True
    """
    if by == "isotonic":
        fit = IsotonicRegression(out_of_bounds="clip").fit(score, target)
        points, levels = fit.X_thresholds_, fit.y_thresholds_
        if len(points) == 1:
            points, levels = np.repeat(points, 2), np.repeat(levels, 2)
        return Isotonic(np.asarray(points, dtype=np.float64), np.asarray(levels, dtype=np.float64))
    bounded = np.clip(score, _LEAST, _MOST)
    log_odds = np.log(bounded / (1.0 - bounded))[:, None]
    events, others = int(target.sum()), int((~target).sum())
    high, low = (events + 1.0) / (events + 2.0), 1.0 / (others + 2.0)
    # A target between 0 and 1 is a row of each class, weighted.
    share = np.where(target, high, low)
    fitted = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-10).fit(
        np.concatenate([log_odds, log_odds]),
        np.repeat([True, False], len(score)),
        sample_weight=np.concatenate([share, 1.0 - share]),
    )
    return Platt(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def _scalar(graph: Graph, value: float) -> Tensor:
    return graph.constant(np.array(value, dtype=np.float64))
