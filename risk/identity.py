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
    # msgpack writes the length of each part, so no two triples give the same bytes.
    parts = msgspec.msgpack.encode((event_id, entity_id, bundle_version))
    return hashlib.blake2b(parts, digest_size=_ID_BYTES).hexdigest()


def bar_event_id(symbol: str, bar_end_ns: int) -> str:
    """Return the event id of a closed bar: its symbol, and its end in nanoseconds since the Unix epoch.

    >>> bar_event_id("EURUSD", 1_398_902_460_000_000_000)
    'EURUSD@1398902460000000000'
    """
    return f"{symbol}@{bar_end_ns}"
