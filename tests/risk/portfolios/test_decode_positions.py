from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.decode_positions import decode_positions
from schemas.encoding import encode
from schemas.position import Position

START_NS = 1_767_225_600_000_000_000
SYMBOL: dict[str, Any] = {
    "schema_version": 1,
    "portfolio": "desk",
    "event_time_ns": START_NS,
    "quantity": -2.5,
    "symbol": "EURUSD",
}
BOND: dict[str, Any] = {
    **{name: value for name, value in SYMBOL.items() if name != "symbol"},
    "currency": "EUR",
    "maturity_ns": START_NS + 1,
    "coupon_percent": 2.5,
    "frequency": 2,
}


def decode(**fields: Any) -> Any:
    """Decode one message that is keyed by its portfolio."""
    return decode_positions([str(fields.get("portfolio")).encode()], [msgspec.json.encode(fields)])


def test_symbols_and_bonds_become_columns() -> None:
    """A position in a symbol has no terms, one in a bond its currency for a name; malformed ones are told by place."""
    values = [msgspec.json.encode(SYMBOL), b"?", msgspec.json.encode(BOND)]
    columns, rejections = decode_positions([b"desk"] * 3, values)
    assert columns.index.tolist() == [0, 2]
    assert columns.portfolio == ["desk", "desk"]
    assert columns.event_time_ns.tolist() == [START_NS] * 2
    assert columns.is_bond.tolist() == [False, True]
    assert columns.name == ["EURUSD", "EUR"]
    assert columns.quantity.tolist() == [-2.5, -2.5]
    assert columns.maturity_ns.tolist() == [0, START_NS + 1]
    assert columns.coupon_percent.tolist() == [0.0, 2.5]
    assert columns.frequency.tolist() == [0.0, 2.0]
    assert [(one.index, one.reason) for one in rejections] == [(1, "not_json")]


def test_what_the_schema_writes_is_read() -> None:
    """A message as the struct is encoded, with nothing in the fields of the other kind, is taken."""
    for fields in (SYMBOL, BOND):
        columns, rejections = decode_positions([b"desk"], [encode(msgspec.convert(fields, Position))])
        assert (len(columns.portfolio), rejections) == (1, [])


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        (SYMBOL | {"currency": "EUR"}, "instrument_unclear", "symbol='EURUSD'"),
        (
            {**SYMBOL, "symbol": None},
            "instrument_unclear",
            "currency, maturity_ns, coupon_percent, frequency; send them",
        ),
        ({**BOND, "frequency": None}, "instrument_unclear", "lacks frequency; send them"),
        (BOND | {"frequency": 3}, "out_of_range", "frequency=3"),
        (BOND | {"coupon_percent": -1.0}, "out_of_range", "coupon_percent=-1.0"),
        (SYMBOL | {"quantity": 1e13}, "out_of_range", "quantity=10000000000000.0"),
        (SYMBOL | {"quantity": "5"}, "wrong_type", "quantity='5'"),
        (SYMBOL | {"schema_version": 2}, "unknown_version", "schema_version=2"),
        ({name: value for name, value in SYMBOL.items() if name != "quantity"}, "missing_field", "quantity"),
    ],
)
def test_what_cannot_be_used_is_refused(fields: dict[str, Any], reason: str, detail: str) -> None:
    """Each is a rejection that names the field and its value."""
    columns, (rejection,) = decode(**fields)
    assert len(columns.portfolio) == 0
    assert rejection.reason == reason
    assert detail in rejection.detail


def test_another_key_and_a_field_twice_are_refused() -> None:
    """A record must be keyed by its portfolio, and have each field once, in a symbol and in a bond."""
    _, (rejection,) = decode_positions([b"other"], [msgspec.json.encode(SYMBOL)])
    assert rejection.reason == "key_mismatch"
    for fields in (SYMBOL, BOND):
        twice = msgspec.json.encode(fields)[:-1] + b',"quantity":1}'
        _, (rejection,) = decode_positions([b"desk"], [twice])
        assert rejection.reason == "duplicate_key"


@given(st.binary(max_size=60) | st.sampled_from([msgspec.json.encode(BOND)[:-1], b"{}", b"[]", b"null"]))
def test_no_bytes_raise(value: bytes) -> None:
    """Whatever the bytes, the result is a rejection."""
    columns, rejections = decode_positions([None], [value])
    assert (len(columns.portfolio), len(rejections)) == (0, 1)
