"""When something that stays bad, or comes and goes, alerts again: hysteresis, a time to cool down, and escalation."""

import msgspec

RELEASE_SHARE = 0.9
"""What alerted may alert again once it has come down to this share of its limit."""


class AlertState(msgspec.Struct, frozen=True, array_like=True):
    """Whether an alert was raised and not yet released; the event time of the last one, 0 before any, and its score."""

    raised: bool = False
    last_ns: int = 0
    last_score: float = 0.0


NOT_ALERTED = AlertState()


def next_alert_state(
    state: AlertState, score: float, time_ns: int, *, cool_down_ns: int, escalation: float
) -> tuple[AlertState, bool]:
    """Return the state after a measure of `score` times its limit, and whether to alert.

    It alerts above 1, if it had come down to `RELEASE_SHARE` since the last alert, and that alert is at least
    `cool_down_ns` of event time ago; and, in spite of both, where it is `escalation` times as bad as what was alerted.
    What rises above the limit while it cools down alerts once it has.

    >>> rules = {"cool_down_ns": 50, "escalation": 2.0}
    >>> state, alert = next_alert_state(NOT_ALERTED, 1.2, 100, **rules)
    >>> state, alert
    (AlertState(raised=True, last_ns=100, last_score=1.2), True)
    >>> next_alert_state(state, 1.5, 200, **rules)[1], next_alert_state(state, 2.4, 110, **rules)[1]
    (False, True)
    >>> released, _ = next_alert_state(state, 0.5, 120, **rules)
    >>> next_alert_state(released, 1.2, 140, **rules)[1], next_alert_state(released, 1.2, 150, **rules)[1]
    (False, True)
    """
    raised = state.raised and score > RELEASE_SHARE
    is_cool = state.last_ns == 0 or time_ns - state.last_ns >= cool_down_ns
    is_worse = state.last_ns > 0 and score >= escalation * state.last_score
    if score > 1.0 and ((not raised and is_cool) or is_worse):
        return AlertState(True, time_ns, score), True
    return AlertState(raised, state.last_ns, state.last_score), False
