import msgspec
import pytest

from risk.rates.decode_rates import decode_rates
from schemas.encoding import encode
from schemas.rate import Rate

GOOD = Rate(schema_version=1, currency="EUR", tenor_months=120, rate_percent=-0.25, event_time_ns=10**18)


def test_a_good_point_becomes_a_row() -> None:
    """Good points are columns, at their places among what is refused."""
    columns, rejections = decode_rates([b"EUR", b"EUR", b"EUR"], [encode(GOOD), b"?", encode(GOOD)])
    assert (columns.index.tolist(), columns.currency) == ([0, 2], ["EUR", "EUR"])
    assert columns.tenor_months.tolist() == [120, 120]
    assert columns.rate_percent.tolist() == [-0.25, -0.25]
    assert columns.event_time_ns.tolist() == [10**18] * 2
    assert [(one.index, one.reason) for one in rejections] == [(1, "not_json")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": "XXX"}, "out_of_range"),
        ({"tenor_months": 0}, "out_of_range"),
        ({"tenor_months": 1201}, "out_of_range"),
        ({"tenor_months": 1.5}, "wrong_type"),
        ({"rate_percent": 1000.5}, "out_of_range"),
        ({"rate_percent": None}, "wrong_type"),
        ({"event_time_ns": 5}, "out_of_range"),
        ({"schema_version": 2}, "unknown_version"),
    ],
)
def test_what_the_schema_does_not_admit_is_refused(change: dict[str, object], reason: str) -> None:
    """A field out of its range or of another type is a rejection that names it."""
    message = msgspec.to_builtins(GOOD) | change
    _, (rejection,) = decode_rates([b"EUR"], [msgspec.json.encode(message)])
    assert rejection.reason == reason
    assert next(iter(change)) in rejection.detail


def test_a_field_sent_twice_is_refused() -> None:
    """Which of two yields is meant cannot be known."""
    value = encode(GOOD).replace(b'"rate_percent":-0.25', b'"rate_percent":-0.25,"rate_percent":1')
    assert decode_rates([b"EUR"], [value])[1][0].reason == "duplicate_key"


@pytest.mark.parametrize("key", [None, b"USD"])
def test_the_key_must_be_the_currency(key: bytes | None) -> None:
    """A point under another key would reach another partition's curve."""
    _, (rejection,) = decode_rates([key], [encode(GOOD)])
    assert (rejection.reason, "currency" in rejection.detail) == ("key_mismatch", True)
