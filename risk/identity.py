"""What an output is called: the same input to the same bundle always gives the same name.

A name holds no offset, since offsets change when a topic is made anew.
"""

import hashlib

import msgspec

_ID_BYTES = 16


def alert_id(event_id: str, entity_id: str, bundle_version: str) -> str:
    """Return 32 hex digits that name what a bundle says of an event: 16 bytes of BLAKE2b (RFC 7693).

    >>> alert_id("t1", "c1", "0123456789ab")
    '28974a7cb579185dd1d50c11f729fabb'
    """
    return _name(event_id, entity_id, bundle_version)


def decision_id(application_id: str, applicant_id: str, bundle_version: str) -> str:
    """Return 32 hex digits that name what a bundle says of an application, made as an alert's.

    >>> decision_id("a1", "p1", "0123456789ab")
    '89a8b02e5a1632c54bdeae9609838d38'
    """
    return _name(application_id, applicant_id, bundle_version)


def _name(*parts: str) -> str:
    # msgpack writes the length of each part, so no two tuples give the same bytes.
    return hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=_ID_BYTES).hexdigest()


def bar_event_id(symbol: str, bar_end_ns: int) -> str:
    """Return the event id of a closed bar: its symbol, and its end in nanoseconds since the Unix epoch.

    >>> bar_event_id("EURUSD", 1_398_902_460_000_000_000)
    'EURUSD@1398902460000000000'
    """
    return f"{symbol}@{bar_end_ns}"


def silence_event_id(symbol: str, since_ns: int) -> str:
    """Return the event id of a feed's silence: its symbol, and since when, in nanoseconds since the Unix epoch.

    >>> silence_event_id("EURUSD", 1_398_902_460_000_000_000)
    'EURUSD silent since 1398902460000000000'
    """
    return f"{symbol} silent since {since_ns}"
