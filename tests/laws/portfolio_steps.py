"""The steps that portfolios are valued from, with events for them."""

import numpy as np
from numpy.typing import NDArray
from steps import Events, Step, rows_of

from risk.portfolios.correlation import correlations
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.joint_residuals import JointResiduals
from risk.portfolios.last_bars import LastBars

_MODEL = CorrelationModel(symbols=("A", "B"), news=0.05, decay=0.9, target=((1.0, 0.5), (0.5, 1.0)))


def _bars(draw: np.random.Generator, n: int) -> Events:
    close = np.exp(draw.normal(0.0, 1.0, n)) * draw.choice([1e-9, 1.0, 1e12], n, p=[0.05, 0.9, 0.05])
    variance = draw.choice([5e-324, 1e-12, 0.5, 1e8], n, p=[0.02, 0.08, 0.8, 0.1])
    residual = draw.standard_t(3, n) * draw.choice([1.0, 1e4], n, p=[0.95, 0.05])
    numbers = np.column_stack((close, residual * np.sqrt(variance), variance, variance[::-1], residual))
    step = 1 + np.cumsum(draw.random(n) < 0.3)
    return {"symbol": [f"s{at}" for at in draw.integers(0, 6, n)], "numbers": numbers, "step": step}


def _advance_bars(bars: LastBars, events: Events) -> list[bytes]:
    """Return what is known of each bar's symbol after it."""
    given = []
    for at, (symbol, step) in enumerate(zip(events["symbol"], events["step"].tolist(), strict=True)):
        rows = bars.take([symbol], events["numbers"][at : at + 1], step)
        known = (bars.closes(rows), bars.moves(rows, step), bars.deviations_percent(rows), bars.residuals(rows, step))
        given.append(np.concatenate(known).tobytes())
    return given


def _residuals(draw: np.random.Generator, n: int) -> Events:
    residuals = draw.standard_t(3, (n, 4)) * draw.choice([0.0, 1e-6, 1.0, 10.0], (n, 4))
    return {"residuals": np.clip(residuals, -50.0, 50.0), "missing": draw.random((n, 4)) < 0.3}


def _joint() -> JointResiduals:
    joint = JointResiduals(_MODEL)
    joint.take_up("x")
    joint.take_up("y")
    return joint


def _advance_joint(joint: JointResiduals, events: Events) -> list[bytes]:
    """Return both correlations after each bar, and what would be simulated from the last ones."""
    given: list[NDArray[np.float64]] = []
    for residuals, missing in zip(events["residuals"], events["missing"], strict=True):
        joint.add(np.where(missing, np.nan, residuals))
        pair = correlations(joint.ewma, np.array([3, 1])), correlations(joint.dcc, np.array([0, 1]))
        sums = joint.scenarios(np.array([2, 0])).sum(axis=0)
        given.append(np.concatenate([pair[0].ravel(), pair[1].ravel(), sums]))
    return rows_of(np.array(given).reshape(-1, 10))


STEPS = (
    Step("last bars", LastBars, _advance_bars, _bars, "symbol"),
    Step("joint residuals", _joint, _advance_joint, _residuals, None),
)
