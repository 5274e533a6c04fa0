"""Plain messages take a path of their own through the decoder: it must give just what the full decoder gives."""

import re
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk import decode
from risk.byte_slices import BytesColumn
from risk.decode import decode_labels, decode_ticks, decode_transactions
from risk.message_form import MessageForm, Scanned
from risk.rejection import Rejection
from schemas.constraints import EventTimeNs, Price
from schemas.label import Label
from schemas.tick import Tick
from schemas.transaction import Transaction

TIME_NS = 1_767_225_600_000_000_000
GOOD: dict[str, list[tuple[bytes, bytes]]] = {
    "transaction": [
        (b"schema_version", b"1"),
        (b"transaction_id", b'"t-000001"'),
        (b"customer_id", b'"ann"'),
        (b"merchant_id", b'"the old mill"'),
        (b"amount", b"12.5"),
        (b"currency", b'"EUR"'),
        (b"event_time_ns", b"%d" % TIME_NS),
    ],
    "label": [
        (b"schema_version", b"1"),
        (b"transaction_id", b'"t-000001"'),
        (b"customer_id", b'"ann"'),
        (b"merchant_id", b'"mill"'),
        (b"transaction_time_ns", b"%d" % TIME_NS),
        (b"event_time_ns", b"%d" % (TIME_NS + 1)),
        (b"fraud", b"true"),
    ],
    "tick": [
        (b"schema_version", b"1"),
        (b"symbol", b'"ann"'),
        (b"event_time_ns", b"%d" % TIME_NS),
        (b"bid", b"1.5"),
        (b"ask", b"1.75"),
        (b"sequence", b"7"),
        (b"price", b"684.25"),
        (b"size", b"100"),
    ],
}

NUMBERS = """
0 -0 -0.0 00 01 1. .5 +1 1e5 1E+5 1e-5 1e400 -1e400 1e-400 5e-324 4.9e-324 2.2250738585072014e-308 0e9 0.0e-9 1e 1e+
9007199254740991 9007199254740992 9007199254740993 900719925474099.3 1e22 1e23 1e-22 1e-23 0.1e-22 1ee5 1e00 1e0005
9223372036854775806 9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 NaN Infinity
946684800000000000 946684799999999999 4102444799999999999 4102444800000000000 99999999999999999999 1_0 0x1 true null
1000000000 1000000000.0000001 999999999.99999999 1000000000000 1000000000000.0001 0.000000000000000000000000000001
123456789.123456789 12345678.12345678e1 0.1 0.2 0.30000000000000004 1.0e-0 -1 -1.5 1 2 1.0
"""
numbers = st.one_of(
    st.sampled_from(NUMBERS.split()),
    st.floats(allow_nan=False).map(repr),
    st.floats(0.0, 1e9).map(repr),
    st.floats(1e-30, 1e30).map(lambda one: f"{one:.17e}"),
    st.integers(0, 10**7).map(lambda one: f"{one / 100:.2f}"),
    st.integers(-(2**70), 2**70).map(str),
    st.integers(2**62, 2**64).map(str),
    st.from_regex(re.compile(r"-?[0-9]{1,22}(\.[0-9]{0,20})?([eE][-+]?[0-9]{0,3})?", re.ASCII), fullmatch=True),
).map(str.encode)
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=70).map(msgspec.json.encode),
    st.text(st.sampled_from("aé€😀\x7f"), min_size=60, max_size=66).map(lambda one: f'"{one}"'.encode()),
    st.binary(max_size=12).map(lambda one: b'"' + one + b'"'),
    st.sampled_from(
        # Escapes, control characters; overlong, surrogate, too large and cut off UTF-8; and the limits of the good.
        [
            *(rb'"\u0061nn"', rb'"a\"nn"', b'"a\tb"', b'"a\x00b"', b'"\xc0\x80"', b'"\xc1\xbf"', b'"\xed\xa0\x80"'),
            *(b'"\xf5"', b'"\xf4\x90\x80\x80"', b'"\xe0\x9f\xbf"', b'"\xf0\x8f\xbf\xbf"', b'"\xc3"', b'"\xe2\x82"'),
            *(b'"\xf0\x9f\x98"', b'"\xc2\x80"', b'"\xe0\xa0\x80"', b'"\xed\x9f\xbf"', b'"\xee\x80\x80"'),
            *(b'"\xf0\x90\x80\x80"', b'"\xf4\x8f\xbf\xbf"', b'"ann"', b'"EUR"', b'"USD"', b'"XXX"', b'""'),
            b'"' + b"x" * 64 + b'"',
        ]
    ),
)
values = st.one_of(numbers, texts, st.sampled_from([b"true", b"false", b"null", b"tru", b"[]", b'{"a":1}', b""]))
spaces = st.sampled_from([b"", b"", b"", b" ", b"\n", b"\t\r\n ", b"\x0b", b"\xa0"])


@st.composite
def messages(draw: st.DrawFn, kind: str) -> bytes | None:
    """Draw a message that is good, or nearly so."""
    fields = list(GOOD[kind])
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(fields) - 1))
        fields[at] = (fields[at][0], draw(values))
    match draw(st.integers(0, 9)):
        case 0 | 1:
            fields = draw(st.permutations(fields))
        case 2:
            fields.insert(draw(st.integers(0, len(fields))), draw(st.sampled_from(fields)))
        case 3:
            for _ in range(draw(st.integers(1, 3))):
                del fields[draw(st.integers(0, len(fields) - 1))]
        case 4:
            names = [b"later", b"", b"amoun", b"amounts", "größe".encode(), rb"amoun\u0074", b"bid", b"sequence"]
            fields.insert(draw(st.integers(0, len(fields))), (draw(st.sampled_from(names)), draw(values)))
        case 5:
            return draw(st.none() | st.binary(max_size=20) | st.sampled_from([b"", b"{}", b"{", b"[]", b" ", b"null"]))
    one = draw(spaces) if draw(st.booleans()) else b""
    text = b"{" + b",".join(one + b'"' + name + b'"' + one + b":" + one + value + one for name, value in fields) + b"}"
    text += one
    if draw(st.integers(0, 3)) == 0:
        damaged = bytearray(text)
        for _ in range(draw(st.integers(1, 2))):
            at = draw(st.integers(0, max(0, len(damaged) - 1)))
            what = draw(st.integers(0, 3))
            if what == 0 and damaged:
                damaged[at] = draw(st.integers(0, 255))
            elif what == 1:
                del damaged[at : at + draw(st.integers(1, 3))]
            elif what == 2:
                damaged[at:at] = draw(st.sampled_from([b'"', b",", b"}", b"0", b" ", b"\\", b"\x00", b"e", b"."]))
            else:
                del damaged[at:]
        text = bytes(damaged)
    return text


def decoded(kind: str, keys: list[bytes | None], values: list[bytes | None]) -> tuple[dict[str, Any], list[Rejection]]:
    """Return the columns, arrays as their type and bytes, and the rejections."""
    columns: Any
    if kind == "transaction":
        columns, rejections = decode_transactions(keys, values, "EUR")
    elif kind == "label":
        columns, rejections = decode_labels(values)
    else:
        columns, rejections = decode_ticks(keys, values)
    found = {name: getattr(columns, name) for name in columns.__dataclass_fields__}
    return {
        name: (one.dtype, one.tobytes()) if isinstance(one, np.ndarray) else list(one) for name, one in found.items()
    }, rejections


def scan_nothing(self: MessageForm, keys: BytesColumn, *rest: Any, **more: Any) -> Scanned:
    """Scan as if no message were plain, so that the full decoder reads all."""
    scanned = SCAN(self, keys, *rest, **more)
    scanned.good[:] = False
    scanned.texts[:] = 0
    scanned.integers[:] = 77
    scanned.floats[:] = 77.0
    return scanned


SCAN = MessageForm.scan
keys = st.sampled_from([b"ann", b"ann", b"ann", b"ann", None, b"", b"bob", b"an", b"ann\xff"])


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_the_plain_path_gives_what_the_full_decoder_gives(kind: str, data: st.DataObject) -> None:
    """Columns are the same bit for bit, and rejections word for word, however messages are written or damaged."""
    drawn = data.draw(st.lists(st.tuples(keys, messages(kind)), min_size=1, max_size=8))
    records = [key for key, _ in drawn], [value for _, value in drawn]
    found = decoded(kind, *records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessageForm, "scan", scan_nothing)
        assert found == decoded(kind, *records)


def agrees(kind: str, name: bytes, written: list[bytes]) -> None:
    """Assert that both paths read a field the same, each as it is written, in a message of its own."""
    # A bid is held against its ask, which must not decide here.
    good = dict(GOOD[kind]) | ({b"ask": b"1e12"} if name == b"bid" else {})
    values: list[bytes | None] = [
        b"{" + b",".join(b'"%b":%b' % one for one in (good | {name: value}).items()) + b"}" for value in written
    ]
    found = decoded(kind, [b"ann"] * len(values), values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MessageForm, "scan", scan_nothing)
        assert found == decoded(kind, [b"ann"] * len(values), values)


@settings(max_examples=150, deadline=None)
@given(st.lists(numbers, min_size=20, max_size=40))
def test_every_number_is_read_as_by_the_full_decoder(written: list[bytes]) -> None:
    """A number in a message is rounded as the full decoder rounds it, or refused for the same reason."""
    for kind, name in (("transaction", b"amount"), ("tick", b"bid"), ("tick", b"size"), ("tick", b"sequence")):
        agrees(kind, name, written)


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, min_size=20, max_size=40))
def test_every_text_is_read_as_by_the_full_decoder(written: list[bytes]) -> None:
    """A text in a message is taken as the full decoder takes it, or refused for the same reason."""
    for kind, name in (("transaction", b"merchant_id"), ("transaction", b"currency"), ("label", b"transaction_id")):
        agrees(kind, name, written)


@pytest.mark.parametrize("before", ["", "a", "1234567", "12345678", "123456789"])
def test_every_byte_in_a_text_is_read_as_by_the_full_decoder(before: str) -> None:
    """Any one or two bytes, wherever they stand in a text, are taken or refused as the full decoder does it."""
    inside = [bytes([one]) for one in range(256)]
    inside += [bytes([first, second]) for first in range(0xC0, 0x100) for second in range(0x70, 0xD0, 5)]
    inside += [bytes([first, second, 0x80]) for first in range(0xE0, 0x100) for second in range(0x7F, 0xC1)]
    inside += [bytes([first, second, 0x80, 0xBF]) for first in range(0xEF, 0xF6) for second in range(0x7F, 0xC1)]
    agrees("label", b"merchant_id", [b'"' + before.encode() + one + b'x"' for one in inside])


def as_sent(kind: str, *changed: tuple[bytes, bytes], order: int = 1, space: bytes = b"") -> bytes:
    """Return a good message with some fields changed."""
    fields = (dict(GOOD[kind]) | dict(changed)).items()
    comma, colon = space + b"," + space, space + b":" + space
    written = comma.join(b'"' + name + b'"' + colon + value for name, value in list(fields)[::order])
    return b"{" + space + written + space + b"}" + space


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((kind, as_sent(kind)) for kind in GOOD),
        *((kind, as_sent(kind, order=-1, space=b" \n\t\r")) for kind in GOOD),
        ("transaction", as_sent("transaction", (b"amount", b"0"))),
        ("transaction", as_sent("transaction", (b"amount", b"1.25e2"))),
        ("transaction", as_sent("transaction", (b"merchant_id", '"Café Zürich 😀"'.encode()))),
        ("label", as_sent("label", (b"fraud", b"false"))),
        ("tick", as_sent("tick", (b"sequence", b"null"))),
    ],
)
def test_what_producers_send_is_plain(monkeypatch: pytest.MonkeyPatch, kind: str, value: bytes) -> None:
    """Messages in any order and with any white space, and the usual numbers and texts, need no full decoder."""
    whole = decoded(kind, [b"ann"], [value])
    assert whole[1] == []

    def refuse(*_: object) -> None:
        pytest.fail("the full decoder was asked")

    monkeypatch.setattr(decode, "decode_messages", refuse)
    assert decoded(kind, [b"ann"], [value]) == whole


def test_rows_of_both_paths_keep_their_order() -> None:
    """A message with an escape stands among plain ones in its place, and its texts are its own."""
    odd = as_sent("transaction", (b"merchant_id", rb'"\u006dill"'), (b"amount", b"0.30000000000000004"))
    values: list[bytes | None] = [as_sent("transaction"), odd, None, odd, as_sent("transaction", (b"amount", b"3"))]
    columns, rejections = decode_transactions([b"ann"] * 5, values, "EUR")
    assert columns.index.tolist() == [0, 1, 3, 4]
    assert list(columns.merchant_id) == ["the old mill", "mill", "mill", "the old mill"]
    assert columns.amount.tolist() == [12.5, 0.30000000000000004, 0.30000000000000004, 3.0]
    assert [(one.index, one.reason) for one in rejections] == [(2, "empty")]


def test_a_currency_that_is_none_is_not_found() -> None:
    """Where the bundle's currency is none that the schema knows, no message is taken for one in it."""
    for currency in ("XXX", ""):
        value = as_sent("transaction", (b"currency", f'"{currency}"'.encode()))
        columns, (rejection,) = decode_transactions([b"ann"], [value], currency)
        assert (len(columns.index), rejection.reason) == (0, "out_of_range")


@pytest.mark.parametrize(
    "kind",
    [list[int], str, int, Price | int, str | None, msgspec.UnsetType | str | int],
)
def test_a_field_that_cannot_be_checked_is_not_scanned(kind: Any) -> None:
    """A schema with a type or a limit that the scanner does not know is refused, rather than scanned without it."""
    message = msgspec.defstruct("Message", [("time", EventTimeNs), ("field", kind)])
    with pytest.raises(TypeError, match="field: "):
        MessageForm(message)


@pytest.mark.parametrize("message", [Transaction, Label, Tick])
def test_every_field_has_its_place(message: type[msgspec.Struct]) -> None:
    """Each field of a message but a choice has a slot."""
    form = MessageForm(message)
    named = {*form.texts, *form.integers, *form.floats}
    assert named | {"currency"} == {*message.__struct_fields__, "currency"}
