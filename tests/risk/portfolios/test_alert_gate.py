from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.alert_gate import NOT_ALERTED, RELEASE_SHARE, next_alert_state

histories = st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(1, 30)), max_size=60)


@given(histories)
def test_alerts_are_apart_and_released_between_or_escalate(history: list[tuple[float, int]]) -> None:
    """Between two alerts lie the cool-down and a score at the release share, or the second is twice as bad."""
    state, time_ns = NOT_ALERTED, 100
    told: list[tuple[int, int, float]] = []
    for at, (score, wait_ns) in enumerate(history):
        time_ns += wait_ns
        state, alert = next_alert_state(state, score, time_ns, cool_down_ns=50, escalation=2.0)
        if alert:
            assert score > 1.0
            told.append((at, time_ns, score))
    for (first, began_ns, before), (then, now_ns, score) in pairwise(told):
        low = min((score for score, _ in history[first + 1 : then]), default=9.0) <= RELEASE_SHARE
        assert (low and now_ns - began_ns >= 50) or score >= 2.0 * before
    # The first score above the limit is always told.
    above = [at for at, (score, _) in enumerate(history) if score > 1.0]
    assert [at for at, *_ in told][:1] == above[:1]
