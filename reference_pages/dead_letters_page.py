"""The page of dead letters: every reason that the core gives, what it says of a message, and what to do."""

from typing import get_args

from reference_pages.markdown import code, page, table
from risk.rejection import RejectionReason

TOLD: dict[RejectionReason, tuple[str, str]] = {
    "empty": ("has no value, or one of no bytes", "send a JSON object"),
    "too_large": ("has more than 1 MiB", "send less than 1 MiB"),
    "not_utf8": ("has bytes that are no UTF-8", "send JSON as UTF-8"),
    "not_json": ("is no JSON; `NaN` and `Infinity` are none", "send a JSON object; leave out what is not known"),
    "too_deep": ("is nested beyond what a parser should follow", "send a flat JSON object"),
    "duplicate_key": ("has a field twice, so that nobody can know which is meant", "send each field once"),
    "missing_field": (
        "lacks a field, or, of an application, a column that the bundle needs",
        "send the field that the detail names",
    ),
    "wrong_type": ("has a field of another type than the schema's, or the bundle's column", "send the type stated"),
    "out_of_range": ("has a field beyond its limits, in the schema or in the bundle", "send a value in the range"),
    "unknown_version": ("has another `schema_version` than 1", "send version 1, or upgrade the workers first"),
    "currency_not_supported": (
        "is in another currency than the bundle was trained in",
        "convert the amount, or score the currency by workers of its own",
    ),
    "bid_above_ask": ("quotes a crossed market", "send `bid` ≤ `ask`"),
    "key_mismatch": (
        "lies under another key than its customer, symbol, currency, portfolio or applicant",
        "produce with that field as the record's key",
    ),
    "instrument_unclear": (
        "is a position that names no instrument, or a symbol and a bond",
        "send `symbol`, or all fields of the bond",
    ),
    "too_many_instruments": (
        "is a position beyond the 512 symbols or 4,096 bonds that a partition's portfolios may hold",
        "remove positions, or use more partitions from the beginning",
    ),
    "event_time_in_future": (
        "names a time more than 5 minutes after its record's own timestamp, or after the label that it is of",
        "set the producer's clock right",
    ),
    "event_too_late": (
        "names a time more than 7 days before what was seen of its customer, or is a point of a curve that has closed",
        "send in order of time; [event time](../event-time.md) has the rules",
    ),
    "processing_failed": (
        "is in order, and yet the engine raised on it: a fault of the engine, which the log names",
        "report it with the log's line; the message can be sent again after the fix",
    ),
}
"""What each reason says of a message, and the remedy."""


def dead_letters_page() -> str:
    """Return the page."""
    return page(
        "Dead letters",
        "A message that cannot be used is answered on the topic `deadletter`: with its `source` (topic, partition and "
        "offset), a `reason`, a `detail` that names field, value and remedy, and its own bytes in base64. It stops "
        "nothing. [`riskstream_records_rejected_total`](metrics.md) counts dead letters by job and reason; the form of "
        "the message is under [topics](topics.md#deadletter).",
        table(
            ["reason", "the message", "what to do"],
            [[code(reason), TOLD[reason][0], TOLD[reason][1]] for reason in get_args(RejectionReason)],
        ),
    )
