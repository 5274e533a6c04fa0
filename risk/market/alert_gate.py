"""When something that stays bad, or comes and goes, alerts again: hysteresis, and a time to cool down."""

import msgspec

RELEASE_SHARE = 0.9
"""What alerted may alert again once it has come down to this share of its limit."""


class AlertState(msgspec.Struct, frozen=True, array_like=True):
    """Whether an alert was raised and not yet released, and the event time of the last one, 0 before any."""

    raised: bool = False
    last_ns: int = 0


NOT_ALERTED = AlertState()


def next_alert_state(state: AlertState, ratio: float, time_ns: int, cool_down_ns: int) -> tuple[AlertState, bool]:
    """Return the state after a measure of `ratio` times its limit, and whether to alert.

    It alerts above 1, if it had come down to `RELEASE_SHARE` since the last alert, and that alert is at least
    `cool_down_ns` of event time ago. What rises above the limit while it cools down alerts once it has.

    >>> state, alert = next_alert_state(AlertState(), 1.2, 100, 50)
    >>> state, alert
    (AlertState(raised=True, last_ns=100), True)
    >>> next_alert_state(state, 1.5, 200, 50)[1]
    False
    >>> released, _ = next_alert_state(state, 0.5, 120, 50)
    >>> next_alert_state(released, 1.2, 140, 50)[1], next_alert_state(released, 1.2, 150, 50)[1]
    (False, True)
    """
    if state.raised:
        return AlertState(ratio > RELEASE_SHARE, state.last_ns), False
    cool = state.last_ns == 0 or time_ns - state.last_ns >= cool_down_ns
    if ratio > 1.0 and cool:
        return AlertState(True, time_ns), True
    return state, False
