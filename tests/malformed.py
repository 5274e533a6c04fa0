"""Malformed transactions and applications of every kind, for tests of what becomes of them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from schemas.application import Application
from schemas.encoding import encode
from schemas.transaction import Transaction

MEGABYTES_10 = 10_000_000

Spoil = Callable[[bytes, random.Random], tuple[bytes | None, str]]
"""Makes a good record bad; returns it, and the reason for which it must be refused."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that must be refused, for one of `reasons`."""

    key: bytes | None
    value: bytes | None
    reasons: frozenset[str]


def malformed_transactions(count: int, seed: int) -> list[Malformed]:
    """Return `count` malformed records in which every kind occurs about as often; two have 10 MB."""

    def good(number: int, draw: random.Random) -> bytes:
        return encode(
            Transaction(
                schema_version=1,
                transaction_id=f"bad-{number:06d}",
                customer_id="c-bad",
                merchant_id=f"m{draw.randrange(50)}",
                amount=round(draw.uniform(1, 100), 2),
                currency="EUR",
                event_time_ns=1_767_225_600_000_000_000 + number,
            )
        )

    return _malformed(count, seed, good, _ANY + _OF_TRANSACTIONS)


def malformed_applications(count: int, seed: int) -> list[Malformed]:
    """Return `count` malformed records in which every kind occurs about as often; two have 10 MB.

    Their one field is an `age`, which must be 18 to 100 and may not be missing.
    """

    def good(number: int, draw: random.Random) -> bytes:
        fields: dict[str, float | str | bool | None] = {"age": draw.randint(18, 79)}
        return encode(Application(1, f"bad-{number:06d}", "c-bad", 1_767_225_600_000_000_000 + number, fields))

    return _malformed(count, seed, good, _ANY + _OF_APPLICATIONS)


def _malformed(
    count: int, seed: int, good: Callable[[int, random.Random], bytes], kinds: list[Spoil]
) -> list[Malformed]:
    draw = random.Random(seed)
    records = []
    for number in range(count):
        value, reason = kinds[number % len(kinds)](good(number, draw), draw)
        key = b"someone-else" if reason == "key_mismatch" else b"c-bad"
        records.append(Malformed(key, value, frozenset([reason])))
    huge = [Malformed(b"c-bad", b'{"x":"' + b"x" * MEGABYTES_10 + b'"}', frozenset(["too_large"])) for _ in range(2)]
    return huge + records[: count - 2]


def _with(field: bytes, value: bytes, reason: str) -> Spoil:
    def change(good: bytes, draw: random.Random) -> tuple[bytes, str]:
        start = good.index(b'"' + field + b'":') + len(field) + 3
        end = good.find(b',"', start)
        return good[:start] + value + (good[end:] if end > 0 else b"}"), reason

    return change


def _without(field: bytes) -> Spoil:
    def change(good: bytes, draw: random.Random) -> tuple[bytes, str]:
        start = good.index(b'"' + field + b'":')
        end = good.find(b',"', start)
        return (good[:start] + good[end + 1 :] if end > 0 else good[: start - 1] + b"}"), "missing_field"

    return change


def _cut(good: bytes, draw: random.Random) -> tuple[bytes, str]:
    return good[: draw.randrange(1, len(good) - 1)], "not_json"


def _noise(good: bytes, draw: random.Random) -> tuple[bytes, str]:
    return b"\xff" + draw.randbytes(draw.randrange(1, 300)), "not_utf8"


_ANY: list[Spoil] = [
    lambda good, draw: (None, "empty"),
    lambda good, draw: (b"", "empty"),
    lambda good, draw: (b"hello", "not_json"),
    lambda good, draw: (good + b"}", "not_json"),
    _cut,
    _noise,
    lambda good, draw: (good.decode().encode("utf-16"), "not_utf8"),
    lambda good, draw: (b"\xef\xbb\xbf" + good, "not_json"),
    lambda good, draw: (good.replace(b'"c-bad"', b'"c-b\xe9"'), "not_utf8"),
    lambda good, draw: (b"[]", "wrong_type"),
    lambda good, draw: (b"null", "wrong_type"),
    lambda good, draw: (b"17", "wrong_type"),
    lambda good, draw: (good, "key_mismatch"),
    lambda good, draw: (good[:-1] + b',"schema_version":1}', "duplicate_key"),
    lambda good, draw: (good[:-1] + b',"extra":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep"),
    _with(b"event_time_ns", b"0", "out_of_range"),
    _with(b"event_time_ns", b"99999999999999999999999", "out_of_range"),
    _with(b"event_time_ns", b"1.5", "wrong_type"),
    _with(b"event_time_ns", b'"2026-01-01"', "wrong_type"),
    _with(b"schema_version", b"2", "unknown_version"),
    _with(b"schema_version", b'"1"', "unknown_version"),
    _without(b"event_time_ns"),
]

_OF_TRANSACTIONS: list[Spoil] = [
    lambda good, draw: (good[:-1] + b',"amount":1}', "duplicate_key"),
    lambda good, draw: (good[:-1] + b',"customer_id":"c-bad"}', "duplicate_key"),
    _with(b"amount", b"NaN", "not_json"),
    _with(b"amount", b"-Infinity", "not_json"),
    _with(b"amount", b"1e999", "out_of_range"),
    _with(b"amount", b"-0.01", "out_of_range"),
    _with(b"amount", b"1e10", "out_of_range"),
    _with(b"amount", b'"12.5"', "wrong_type"),
    _with(b"amount", b"null", "wrong_type"),
    _with(b"amount", b"true", "wrong_type"),
    _with(b"customer_id", b"7", "wrong_type"),
    _with(b"customer_id", b'""', "out_of_range"),
    _with(b"customer_id", b'"' + b"c" * 65 + b'"', "out_of_range"),
    _with(b"customer_id", b'"\\ud800"', "not_json"),
    _with(b"transaction_id", b"{}", "wrong_type"),
    _with(b"currency", b'"EURO"', "out_of_range"),
    _with(b"currency", b'"USD"', "currency_not_supported"),
    *(_without(field) for field in (b"transaction_id", b"customer_id", b"merchant_id", b"amount", b"currency")),
]

_OF_APPLICATIONS: list[Spoil] = [
    lambda good, draw: (good[:-1] + b',"fields":{}}', "duplicate_key"),
    lambda good, draw: (good[:-2] + b',"age":41}}', "duplicate_key"),
    lambda good, draw: (good[:-2] + b',"home":["own"]}}', "wrong_type"),
    _with(b"applicant_id", b"7", "wrong_type"),
    _with(b"applicant_id", b'""', "out_of_range"),
    _with(b"applicant_id", b'"' + b"c" * 65 + b'"', "out_of_range"),
    _with(b"applicant_id", b'"\\ud800"', "not_json"),
    _with(b"application_id", b"{}", "wrong_type"),
    _with(b"fields", b"[]", "wrong_type"),
    _with(b"fields", b"null", "wrong_type"),
    _with(b"fields", b"{}", "missing_field"),
    _with(b"fields", b'{"age":null}', "missing_field"),
    _with(b"fields", b'{"age":"forty"}', "wrong_type"),
    _with(b"fields", b'{"age":{}}', "wrong_type"),
    _with(b"fields", b'{"age":17}', "out_of_range"),
    _with(b"fields", b'{"age":100.5}', "out_of_range"),
    _with(b"fields", b'{"age":1e999}', "out_of_range"),
    _with(b"fields", b'{"age":NaN}', "not_json"),
    *(_without(field) for field in (b"application_id", b"applicant_id", b"fields")),
]
