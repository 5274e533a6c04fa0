"""What a closed curve is called."""


def curve_event_id(currency: str, event_time_ns: int) -> str:
    """Return the event id of a curve: its currency and its event time. No bar of a symbol has the same.

    >>> curve_event_id("USD", 1_398_902_460_000_000_000)
    'curve/USD@1398902460000000000'
    """
    return f"curve/{currency}@{event_time_ns}"
