import json
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from risk.decode import MAX_BYTES, decode_applications, decode_labels, decode_ticks, decode_transactions
from risk.rejection import Rejection, RejectionReason
from schemas.application import Application
from schemas.encoding import encode
from schemas.label import Label
from schemas.tick import Tick
from schemas.transaction import Transaction
from tests.malformed import malformed_transactions

LEAST_NS, END_NS = 946_684_800_000_000_000, 4_102_444_800_000_000_000
"""The years 2000 to 2099."""

TRANSACTION: dict[str, Any] = {
    "schema_version": 1,
    "transaction_id": "t1",
    "customer_id": "ann",
    "merchant_id": "mill",
    "amount": 12.5,
    "currency": "EUR",
    "event_time_ns": LEAST_NS,
}
LABEL: dict[str, Any] = {
    "schema_version": 1,
    "transaction_id": "t1",
    "customer_id": "ann",
    "merchant_id": "mill",
    "transaction_time_ns": LEAST_NS,
    "event_time_ns": LEAST_NS + 1,
    "fraud": True,
}
TICK: dict[str, Any] = {"schema_version": 1, "symbol": "ann", "event_time_ns": LEAST_NS, "bid": 1.5, "ask": 1.75}
APPLICATION: dict[str, Any] = {
    "schema_version": 1,
    "application_id": "a1",
    "applicant_id": "ann",
    "event_time_ns": LEAST_NS,
    "fields": {"age": 41, "home": "own", "student": False, "income": None},
}
KINDS = {"transaction": TRANSACTION, "label": LABEL, "tick": TICK, "application": APPLICATION}

Values = list[bytes | None]


def decode(kind: str, values: Values, keys: Values | None = None) -> tuple[list[int], list[Rejection]]:
    """Return which messages of a kind became rows, and the rejections; the key is that of the good messages."""
    keys = [b"ann"] * len(values) if keys is None else keys
    if kind == "transaction":
        transactions, rejections = decode_transactions(keys, values, "EUR")
        return transactions.index.tolist(), rejections
    if kind == "tick":
        ticks, rejections = decode_ticks(keys, values)
        return ticks.index.tolist(), rejections
    if kind == "application":
        applications, rejections = decode_applications(keys, values)
        return applications.index.tolist(), rejections
    labels, rejections = decode_labels(values)
    return labels.index.tolist(), rejections


def changed(kind: str, **fields: Any) -> bytes:
    """Return a good message with some fields changed or added; `...` leaves one out."""
    message = KINDS[kind] | fields
    return msgspec.json.encode({name: value for name, value in message.items() if value is not ...})


def raw(kind: str, field: str, value: str) -> bytes:
    """Return a good message with a field's value written as given, which may be no JSON."""
    mark = "@@"
    return changed(kind, **{field: mark}).replace(b'"@@"', value.encode())


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
times = st.integers(LEAST_NS, END_NS - 1)
prices = st.floats(0.0, 1e12, exclude_min=True)


@given(st.lists(st.builds(Transaction, st.just(1), ids, ids, ids, st.floats(0.0, 1e9), st.just("CHF"), times)))
def test_transactions_come_back_bit_for_bit(messages: list[Transaction]) -> None:
    """What was encoded is what the columns hold, in order, for every value that the schema allows."""
    keys: Values = [one.customer_id.encode() for one in messages]
    columns, rejections = decode_transactions(keys, [encode(one) for one in messages], "CHF")
    assert rejections == []
    assert columns.index.tolist() == list(range(len(messages)))
    assert columns.transaction_id == [one.transaction_id for one in messages]
    assert columns.customer_id == [one.customer_id for one in messages]
    assert columns.merchant_id == [one.merchant_id for one in messages]
    assert columns.amount.tobytes() == np.array([one.amount for one in messages], dtype="<f8").tobytes()
    assert columns.event_time_ns.tolist() == [one.event_time_ns for one in messages]
    assert columns.index.dtype == columns.event_time_ns.dtype == np.int64


@given(st.lists(st.builds(Label, st.just(1), ids, ids, ids, times, times, st.booleans())))
def test_labels_come_back_bit_for_bit(messages: list[Label]) -> None:
    """What was encoded is what the columns hold, in order, for every value that the schema allows."""
    columns, rejections = decode_labels([encode(one) for one in messages])
    assert rejections == []
    assert columns.index.tolist() == list(range(len(messages)))
    assert columns.transaction_id == [one.transaction_id for one in messages]
    assert columns.customer_id == [one.customer_id for one in messages]
    assert columns.merchant_id == [one.merchant_id for one in messages]
    assert columns.transaction_time_ns.tolist() == [one.transaction_time_ns for one in messages]
    assert columns.event_time_ns.tolist() == [one.event_time_ns for one in messages]
    assert columns.fraud.tolist() == [one.fraud for one in messages]
    assert columns.fraud.dtype == np.bool_


pairs = st.tuples(prices, prices).map(sorted)
trades = st.tuples(prices, st.floats(0.0, 1e12, exclude_min=True))
parts = st.one_of(
    st.tuples(pairs, st.just((UNSET, UNSET))), st.tuples(st.just((UNSET, UNSET)), trades), st.tuples(pairs, trades)
)


@given(st.lists(st.tuples(ids, times, parts, st.none() | st.integers(0, 2**63 - 2))))
def test_ticks_come_back_bit_for_bit(drawn: list[tuple[str, int, Any, int | None]]) -> None:
    """What was encoded is what the columns hold, in order, for every value that the schema allows."""
    messages = [
        Tick(1, symbol, time, quote[0], quote[1], number, trade[0], trade[1])
        for symbol, time, (quote, trade), number in drawn
    ]
    columns, rejections = decode_ticks([one.symbol.encode() for one in messages], [encode(one) for one in messages])
    assert rejections == []
    assert columns.index.tolist() == list(range(len(messages)))
    assert columns.symbol == [one.symbol for one in messages]
    assert columns.event_time_ns.tolist() == [one.event_time_ns for one in messages]
    for name in ("bid", "ask", "price", "size"):
        expected = [getattr(one, name) for one in messages]
        assert getattr(columns, name).tobytes() == np.array([np.nan if x is UNSET else x for x in expected]).tobytes()
    assert columns.sequence.tolist() == [-1 if one.sequence is None else one.sequence for one in messages]
    assert columns.sequence.dtype == np.int64


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        ({}, "missing_field", "bid, ask, price and size are missing; send bid and ask of a quote or both of a trade"),
        ({"bid": 1.0}, "missing_field", "ask is missing; send it"),
        ({"ask": 1.0}, "missing_field", "bid is missing; send it"),
        ({"price": 1.0}, "missing_field", "size is missing; send it"),
        ({"size": 1.0}, "missing_field", "price is missing; send it"),
        ({"bid": 1.0, "price": 1.0}, "missing_field", "ask is missing; send it"),
        ({"bid": 1.0, "ask": 1.0, "size": 1.0}, "missing_field", "price is missing; send it"),
        ({"ask": 1.0, "price": 1.0, "size": 1.0}, "missing_field", "bid is missing; send it"),
        ({"price": 0.0, "size": 1.0}, "out_of_range", "price=0.0: Expected `float` > 0.0; send a value"),
        ({"price": 1.0, "size": 0.0}, "out_of_range", "size=0.0: Expected `float` > 0.0; send a value"),
        ({"price": 1.0, "size": 1.0, "sequence": -1}, "out_of_range", "sequence=-1: Expected `int` >= 0; send a value"),
        ({"price": 1.0, "size": 1.0, "sequence": 2**63 - 1}, "out_of_range", "sequence=9223372036854775807: Expected"),
        ({"price": None, "size": 1.0}, "wrong_type", "price=None: Expected `float`, got `null`; send the type"),
    ],
)
def test_half_a_tick_is_refused(fields: dict[str, Any], reason: str, detail: str) -> None:
    """A tick that is neither a whole quote nor a whole trade is refused, and the detail names what it lacks."""
    tick = {name: TICK[name] for name in ("schema_version", "symbol", "event_time_ns")} | fields
    index, (rejection,) = decode("tick", [msgspec.json.encode(tick)])
    assert (index, rejection.reason) == ([], reason)
    assert detail in rejection.detail


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.builds(
            Application,
            st.just(1),
            ids,
            ids,
            times,
            st.dictionaries(st.text(max_size=9), numbers | st.text(max_size=9) | st.booleans() | st.none(), max_size=9),
        )
    )
)
def test_applications_come_back_bit_for_bit(messages: list[Application]) -> None:
    """What was encoded is what the columns hold, in order, whatever the names and values of the fields."""
    keys: Values = [one.applicant_id.encode() for one in messages]
    columns, rejections = decode_applications(keys, [encode(one) for one in messages])
    assert rejections == []
    assert columns.index.tolist() == list(range(len(messages)))
    assert columns.application_id == [one.application_id for one in messages]
    assert columns.applicant_id == [one.applicant_id for one in messages]
    assert columns.event_time_ns.tolist() == [one.event_time_ns for one in messages]
    assert [repr(one) for one in columns.fields] == [repr(one.fields) for one in messages]


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_tolerated(kind: str) -> None:
    """Fields that a later version adds, of any type and with any quotation marks in them, change nothing."""
    values: Values = [
        changed(kind, later=1),
        changed(kind, later="x"),
        raw(kind, "later", "9" * 5_000),
        changed(kind, later='"amount":"'),
        changed(kind, later={"amount": -1, "symbol": "x", "fraud": "?"}, much=[{"later": 1}, {"later": 2}]),
        changed(kind).replace(b",", b" ,\n\t").replace(b":", b" : "),
        changed(kind).replace(b'"ann"', b'"\\u0061nn"'),
    ]
    assert decode(kind, values) == (list(range(len(values))), [])


ANY_KIND: list[tuple[bytes | None, str, str]] = [
    (None, "empty", "the message is empty; send a JSON object"),
    (b"", "empty", "the message is empty; send a JSON object"),
    (b" " * (MAX_BYTES + 1), "too_large", "the message has 1048577 bytes; send at most 1048576"),
    (b"\xff{}", "not_utf8", "byte 0 is not UTF-8; send JSON as UTF-8"),
    (b"hello", "not_json", "send a JSON object"),
    (b"{", "not_json", "send a JSON object"),
    (b" ", "not_json", "send a JSON object"),
    (b'{"x":' + b"[" * 100_000, "too_deep", "send a flat JSON object"),
    (b'{"x":' * 100_000, "too_deep", "send a flat JSON object"),
    (b'{"schema_version":2,"x":' + b"[" * 100_000, "too_deep", "send a flat JSON object"),
    (b"[]", "wrong_type", "the message: Expected `object`, got `array`; send the type"),
    (b"null", "wrong_type", "the message: Expected `object`, got `null`; send the type"),
    (b"{}", "missing_field", "schema_version is missing; send it"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", range(len(ANY_KIND)))
def test_what_is_no_message_is_refused(kind: str, at: int) -> None:
    """Whatever the kind of message, what is no JSON object is refused with its reason and what to send."""
    value, reason, detail = ANY_KIND[at]
    index, (rejection,) = decode(kind, [changed(kind), value])
    assert index == [0]
    assert (rejection.index, rejection.reason) == (1, reason)
    assert detail in rejection.detail


def wrong_fields() -> list[tuple[str, bytes, str, list[str]]]:
    """Return kind, message, reason and what the detail must name, for each field of each kind."""
    found: list[tuple[str, bytes, str, list[str]]] = []
    for kind, message in KINDS.items():
        for field, good in message.items():
            found.append((kind, changed(kind, **{field: ...}), "missing_field", [field, "send it"]))
            shown = msgspec.json.encode(good).decode()
            twice = changed(kind)[:-1] + f',"{field}":{shown}}}'.encode()
            found.append((kind, twice, "duplicate_key", [field, "twice", "send each field once"]))
            if field == "schema_version":
                continue
            found.append((kind, changed(kind, **{field: []}), "wrong_type", [f"{field}=[]", "array", "send the type"]))
            found.append(
                (kind, changed(kind, **{field: None}), "wrong_type", [f"{field}=None", "null", "send the type"])
            )
            other: Any = 7 if isinstance(good, str | bool) else "seven"
            found.append((kind, changed(kind, **{field: other}), "wrong_type", [f"{field}={other!r}", "send the type"]))
            if isinstance(good, float):
                for text in ("NaN", "Infinity", "-Infinity", "01", "1.", "0x1"):
                    found.append((kind, raw(kind, field, text), "not_json", ["send a JSON object"]))
            values: list[tuple[str, str]] = []
            if field in ("transaction_id", "customer_id", "merchant_id", "symbol", "application_id", "applicant_id"):
                values += [('""', "''"), (f'"{"c" * 65}"', repr("c" * 65)[:60])]
            if field.endswith("_ns"):
                values += [(str(one), str(one)) for one in (0, -1, LEAST_NS - 1, END_NS, 10**30)]
            if field == "amount":
                values += [("-0.01", "-0.01"), ("1000000000.1", "1000000000.1"), ("1e999", "inf")]
            if field in ("bid", "ask"):
                values += [("0", "0"), ("-1.5", "-1.5"), ("1e13", "10000000000000.0"), ("1e999", "inf")]
            if field == "currency":
                values += [('"EURO"', "'EURO'"), ('"eur"', "'eur'"), ('"XXX"', "'XXX'")]
            for text, shown in values:
                found.append(
                    (kind, raw(kind, field, text), "out_of_range", [f"{field}={shown}", "range that the schema"])
                )
        for version in (0, 2, "1", None):
            names = [f"schema_version={version!r}", "reads version 1", "upgrade"]
            found.append((kind, changed(kind, schema_version=version), "unknown_version", names))
    return found


def test_every_field_is_guarded() -> None:
    """A field that is missing, twice, of another type or out of range is refused, and the detail tells all about it."""
    cases = wrong_fields()
    assert len(cases) > 130
    for kind, value, reason, names in cases:
        index, (rejection,) = decode(kind, [value])
        assert index == []
        assert (rejection.reason, value) == (reason, value)
        assert all(name in rejection.detail for name in names), (rejection.detail, names)


def test_a_currency_that_the_bundle_does_not_know_is_refused() -> None:
    """An amount in another currency is refused, naming both, since its value would mean something else."""
    _, (rejection,) = decode("transaction", [changed("transaction", currency="USD")])
    assert rejection.reason == "currency_not_supported"
    assert rejection.detail == "currency='USD': the bundle was trained in EUR; convert the amount first"


def test_a_bid_above_the_ask_is_refused() -> None:
    """A crossed quote is refused, naming both prices; equal prices are not crossed."""
    index, (rejection,) = decode("tick", [changed("tick", bid=1.76), changed("tick", bid=1.75)])
    assert (index, rejection.index, rejection.reason) == ([1], 0, "bid_above_ask")
    assert rejection.detail == "bid=1.76: greater than ask=1.75; send bid <= ask"


@pytest.mark.parametrize(
    ("kind", "field"), [("transaction", "customer_id"), ("tick", "symbol"), ("application", "applicant_id")]
)
def test_a_key_that_is_not_the_owner_is_refused(kind: str, field: str) -> None:
    """A record that lies with another key's partition is refused, since its state is not here."""
    keys: Values = [None, b"", b"bob", b"ann", b"\xff", b"a" * 1_000]
    index, rejections = decode(kind, [changed(kind)] * 6, keys)
    assert index == [3]
    assert {one.reason for one in rejections} == {"key_mismatch"}
    assert rejections[2].detail == f"key=b'bob': is not the message's {field}; produce with {field} as the record's key"
    assert all(len(one.detail) < 200 for one in rejections)


def test_labels_may_be_keyed_by_anything() -> None:
    """Labels have no key to check: the merchant in them says where they go."""
    columns, rejections = decode_labels([changed("label", fraud=False)])
    assert (list(columns.merchant_id), columns.fraud.tolist(), rejections) == (["mill"], [False], [])


def test_every_reason_is_reached() -> None:
    """The messages of these tests are refused for each of the reasons that a message's own bytes and key can give."""
    reached = {reason for _, reason, _ in ANY_KIND} | {reason for _, _, reason, _ in wrong_fields()}
    elsewhere = {"event_time_in_future", "event_too_late", "processing_failed"}
    elsewhere |= {"instrument_unclear", "too_many_instruments"}
    reached |= {"currency_not_supported", "bid_above_ask", "key_mismatch"}
    assert reached | elsewhere == set(get_args(RejectionReason))


def test_a_field_twice_is_refused_wherever_it_stands() -> None:
    """Not even an escape in the name or an equal value makes up for a field that is there twice; nested ones may be."""
    twice = [
        b'{"amount":12.5,' + changed("transaction")[1:],
        b'{"\\u0061mount":12.5,' + changed("transaction")[1:],
        changed("transaction")[:-1] + b',"later":1,"later":1}',
    ]
    _, rejections = decode("transaction", [*twice])
    assert [one.reason for one in rejections] == ["duplicate_key"] * 3
    ticks: Values = [
        changed("tick")[:-1] + b',"bid":1.5}',
        changed("tick", symbol="sequence")[:-1] + b',"bid":1.5}',
        changed("tick", sequence=1)[:-1] + b',"bid":1.5}',
        changed("tick", sequence=1)[:-1] + b',"sequence":1}',
    ]
    quote_and_trade = changed("tick", price=1.5, size=2.0)
    ticks += [quote_and_trade[:-1] + b',"size":2.0}', changed("tick", price=1.5)[:-1] + b',"price":1.5}']
    index, rejections = decode("tick", [*ticks, changed("tick", sequence=None), quote_and_trade])
    assert index == [6, 7]
    assert [one.reason for one in rejections] == ["duplicate_key"] * 6
    nested = changed("transaction")[:-1] + b',"later":{"amount":1,"amount":2}}'
    assert decode("transaction", [nested]) == ([0], [])


def test_a_field_of_an_application_twice_is_refused() -> None:
    """An applicant's age that is there twice, be its name escaped, is refused; so is a name that is a tick's option."""
    twice: Values = [
        raw("application", "fields", '{"age":1,"age":1}'),
        raw("application", "fields", '{"age":1,"\\u0061ge":2}'),
        raw("application", "fields", '{"sequence":1,"sequence":2}'),
        changed("application")[:-1] + b',"fields":{}}',
    ]
    _, rejections = decode("application", twice)
    assert [(one.index, one.reason) for one in rejections] == [(at, "duplicate_key") for at in range(4)]
    same = raw("application", "fields", '{"age":"age","\\"age\\"":"\\""}')
    assert decode("application", [same, changed("application", later={"x": 1})]) == ([0, 1], [])


@pytest.mark.parametrize(
    ("fields", "reason", "detail"),
    [
        ('{"home":"own","age":[1]}', "wrong_type", "fields.age=[1]: Expected `bool | float | str | null`, got `array`"),
        ('{"age":{"in years":41}}', "wrong_type", "fields.age={'in years': 41}: Expected"),
        ('{"age":-1e999}', "out_of_range", "fields.age=-inf: Number out of range"),
        ('{"age":' + "9" * 400 + "}", "out_of_range", "fields.age=99999"),
        ('{"age":NaN}', "not_json", "send a JSON object"),
    ],
)
def test_a_field_of_an_application_that_is_no_value_is_named(fields: str, reason: str, detail: str) -> None:
    """What is neither number, text, truth value nor null is refused, and the detail names the field in `fields`."""
    index, (rejection,) = decode("application", [raw("application", "fields", fields)])
    assert (index, rejection.reason) == ([], reason)
    assert detail in rejection.detail
    assert len(rejection.detail) < 300


def test_messages_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for a field that is there twice, which is slow, leaves out messages as their producers write them."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the message was parsed again")

    monkeypatch.setattr(json, "loads", refuse)
    ticks: Values = [changed("tick"), changed("tick", sequence=None), changed("tick", sequence=7)]
    trade = changed("tick", bid=..., ask=..., price=1.5, size=2.0)
    assert decode("tick", [*ticks, trade, trade[:-1] + b',"sequence":7}']) == ([0, 1, 2, 3, 4], [])
    assert decode("label", [changed("label")]) == ([0], [])
    assert decode("transaction", [changed("transaction")]) == ([0], [])
    assert decode("application", [changed("application")]) == ([0], [])


def test_details_stay_short() -> None:
    """A huge value or name is not repeated in full."""
    huge = changed("transaction", amount="x" * 100_000), changed("transaction", currency="Y" * 100_000)
    name = "z" * 50_000
    _, rejections = decode("transaction", [*huge, changed("transaction")[:-1] + f',"{name}":1,"{name}":1}}'.encode()])
    assert [one.reason for one in rejections] == ["wrong_type", "out_of_range", "duplicate_key"]
    assert all(len(one.detail) < 300 for one in rejections)


@st.composite
def spoilt(draw: st.DrawFn, kind: str) -> bytes | None:
    """Draw any bytes at all, or a good message with bytes flipped, cut out, put in or written twice."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.none() | st.binary(max_size=60))
    value = bytearray(changed(kind))
    for _ in range(draw(st.integers(0, 3))):
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(value))] * 2)))
        what = draw(st.sampled_from(["flip", "cut", "insert", "double", "end"]))
        if what == "flip" and at < len(value):
            value[at] ^= draw(st.integers(1, 255))
        elif what == "cut":
            del value[at:end]
        elif what == "insert":
            value[at:at] = draw(st.binary(max_size=8) | st.sampled_from([b'"', b"{", b"}", b",", b"\\ud800", b"1e999"]))
        elif what == "double":
            value[at:at] = value[at:end]
        else:
            del value[at:]
    return bytes(value)


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_every_record_is_a_row_or_a_rejection(kind: str, data: st.DataObject) -> None:
    """Whatever bytes come, nothing raises, and each record is answered once, rows and rejections in ascending order."""
    values = data.draw(st.lists(spoilt(kind), max_size=12))
    index, rejections = decode(kind, values)
    refused = [one.index for one in rejections]
    assert index == sorted(index)
    assert refused == sorted(refused)
    assert sorted(index + refused) == list(range(len(values)))
    for one in rejections:
        assert one.reason in get_args(RejectionReason)
        assert 0 < len(one.detail) < 400
        one.detail.encode()


@given(st.lists(spoilt("transaction"), max_size=12))
def test_one_record_has_no_part_in_another(values: Values) -> None:
    """A record gets the same answer alone as among others."""
    index, rejections = decode("transaction", values)
    alone = [decode("transaction", [value]) for value in values]
    assert index == [at for at, (rows, _) in enumerate(alone) if rows]
    assert rejections == [Rejection(at, one.reason, one.detail) for at, (_, ones) in enumerate(alone) for one in ones]


def test_malformed_transactions_are_refused_for_what_is_wrong_with_them() -> None:
    """Of two thousand malformed records of every kind none becomes a row, and each reason is one of those stated."""
    records = malformed_transactions(2_000, seed=7)
    columns, rejections = decode_transactions([one.key for one in records], [one.value for one in records], "EUR")
    assert len(columns.index) == 0
    assert [one.index for one in rejections] == list(range(2_000))
    for record, rejection in zip(records, rejections, strict=True):
        assert rejection.reason in record.reasons, (record.value and record.value[:200], rejection)
