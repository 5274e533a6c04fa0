import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.curve_alerts import CurveAlerts
from risk.rates.curve_shocks import shock_score
from risk.rates.rate_parameters import RateParameters

PARAMETERS = RateParameters(cool_down_ns=10, quiet_share=0.5, escalation=2.0, inversion_rearm_percent=0.25)

curves = st.lists(
    st.tuples(st.sampled_from(["USD", "EUR"]), st.integers(1, 8), st.floats(0.0, 4.0), st.floats(-0.5, 0.5)),
    max_size=60,
)


def plain(history: list[tuple[str, int, float, float]]) -> tuple[list[bool], list[bool]]:
    """Return which curves alert for a shock and which for an inversion, from the rules in words."""
    events: dict[str, dict[str, float]] = {}
    inverted: dict[str, bool] = {}
    shocks, inversions = [], []
    for currency, time, score, slope in history:
        event = events.get(currency)
        if event is not None and time - event["stirred"] >= 10:
            event = None
        told = score >= 1.0 and (event is None or score >= 2.0 * event["alerted"])
        if told:
            events[currency] = {"stirred": time, "alerted": score}
        elif event is not None and score >= 0.5:
            event["stirred"] = time
        shocks.append(told)
        was = inverted.get(currency, False)
        inversions.append(slope < 0.0 and not was)
        inverted[currency] = slope < 0.25 if was else slope < 0.0
    return shocks, inversions


@given(curves)
def test_alerts_are_those_of_plain_python(steps: list[tuple[str, int, float, float]]) -> None:
    """Events and inversions begin and end as the rules say, by currency."""
    times = np.cumsum([one[1] for one in steps], dtype=np.int64)
    history = [(one[0], time, one[2], one[3]) for one, time in zip(steps, times.tolist(), strict=True)]
    step = CurveAlerts(PARAMETERS)
    told = step.advance(
        [one[0] for one in history], times, np.array([one[2] for one in history]), np.array([one[3] for one in history])
    )
    assert (told[0].tolist(), told[1].tolist()) == plain(history)


def test_a_shock_that_goes_on_is_one_alert() -> None:
    """Shocks every day for a month alert once, one twice as great alerts again, and rest makes the next one new."""
    times = np.concatenate([np.arange(1, 31), [31, 32, 50]])
    scores = np.concatenate([np.full(30, 1.2), [2.4, 0.1, 1.0]])
    shocked, _ = CurveAlerts(PARAMETERS).advance(["USD"] * 33, times, scores, np.ones(33))
    assert np.flatnonzero(shocked).tolist() == [0, 30, 32]


def test_a_slope_about_zero_is_one_alert() -> None:
    """A slope that wavers about nothing alerts once; after it recovered the next inversion is a new one."""
    slopes = np.array([0.1, -0.01, 0.02, -0.03, 0.24, -0.1, 0.25, -0.01])
    _, inverted = CurveAlerts(PARAMETERS).advance(["USD"] * 8, np.arange(1, 9), np.zeros(8), slopes)
    assert np.flatnonzero(inverted).tolist() == [1, 7]


@pytest.mark.parametrize(
    ("move_bp", "deviations", "score"),
    [(9.9, 20.0, 0.198), (10.0, 5.0, 1.0), (-10.0, -5.0, 1.0), (50.0, 0.0, 1.0), (-75.0, -1.0, 1.5), (12.0, 10.0, 2.0)],
)
def test_a_move_scores_by_its_deviations_or_its_size(move_bp: float, deviations: float, score: float) -> None:
    """Under 10 bp only the size counts; 5 deviations or 50 bp, up or down, are 1."""
    found = shock_score(np.array([move_bp]), np.array([deviations]), RateParameters())
    assert found[0] == pytest.approx(score)
