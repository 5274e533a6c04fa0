from collections import Counter
from typing import Any

import msgspec
import pytest

from risk.application_fold import ApplicationFold
from risk.chunk import Chunk
from risk.event_time import FUTURE_LIMIT_MS
from risk.fold import Emitted
from risk.identity import decision_id
from risk.table_bundle import TableBundle
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from schemas.source import Source
from stream.bundle_files import read_table_bundle
from tests.malformed import malformed_applications
from tests.small_table_bundle import START_NS, application_messages, write_small_table_bundle

PARTITION = 3
GOOD: dict[str, Any] = {"age": 41, "income": 2000.0, "home": "rent", "amount": 9000}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> TableBundle:
    """Give a bundle of trees, which needs an age and an amount."""
    return read_table_bundle(write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=False))


def application(fields: dict[str, Any], time_ns: int = START_NS) -> bytes:
    """Return an application of an applicant p."""
    message = {"schema_version": 1, "application_id": "a", "applicant_id": "p", "event_time_ns": time_ns}
    return msgspec.json.encode(message | {"fields": fields})


def decided(bundle: TableBundle, values: list[bytes], timestamps_ms: tuple[int, ...] = ()) -> Emitted:
    """Return what a fold gives for applications of p at the offsets 10, 11 and on."""
    keys, offsets = (b"p",) * len(values), tuple(range(10, 10 + len(values)))
    chunk = Chunk.of("applications", PARTITION, offsets, keys, tuple(values), True, timestamps_ms)
    return ApplicationFold(PARTITION, bundle=bundle).advance(chunk)


def test_every_application_is_answered(bundle: TableBundle) -> None:
    """A decision tells of what it is, by which bundle, and why; approvals are published too, without reasons."""
    sent = application_messages(200)
    keys, values = zip(*((key.encode(), value) for key, value in sent), strict=True)
    chunk = Chunk.of("applications", PARTITION, tuple(range(200)), keys, values, caught_up=True)
    emitted = ApplicationFold(PARTITION, bundle=bundle).advance(chunk)
    found = [msgspec.json.decode(one.value, type=Decision) for one in emitted.outputs]
    outcomes = Counter(one.outcome for one in found)
    assert emitted.counts == {
        "approved": outcomes["approve"],
        "reviewed": outcomes["review"],
        "declined": outcomes["decline"],
    }
    assert min(emitted.counts.values()) > 0
    thresholds = bundle.manifest.thresholds
    least = {"approve": 0.0, "review": thresholds.review, "decline": thresholds.decline}
    for at, (one, output) in enumerate(zip(found, emitted.outputs, strict=True)):
        identity = decision_id(f"a{at:05d}", sent[at][0], bundle.version)
        assert (one.decision_id, output.identity, one.applicant_id) == (identity, bytes.fromhex(identity), sent[at][0])
        assert (output.stream, output.partition, output.key) == ("decisions", PARTITION, keys[at])
        assert (one.source, one.event_time_ns) == (Source("applications", PARTITION, at), START_NS + at)
        assert one.threshold == least[one.outcome] <= one.probability
        assert (one.bundle_name, one.bundle_version) == ("loans-by-trees", bundle.version)
        assert one.reasons == () or one.outcome != "approve"
    assert sum(one.reasons != () for one in found) > 100


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"age": None}, "missing_field", "fields.age is missing; the bundle's model needs it: send it"),
        ({"age": ""}, "missing_field", "fields.age is missing; the bundle's model needs it: send it"),
        ({"age": "41"}, "wrong_type", "fields.age is a text; the bundle's column holds numbers: send a number"),
        ({"age": 17}, "out_of_range", "fields.age=17: is out of the range of the bundle's column; correct it"),
        ({"age": 1e300}, "out_of_range", "fields.age=1e+300: is out of the range of the bundle's column; correct it"),
    ],
)
def test_what_the_columns_do_not_admit_is_a_dead_letter(
    bundle: TableBundle, changes: dict[str, Any], reason: str, detail: str
) -> None:
    """The letter names the column and the remedy; the application after it is decided."""
    bad = application(GOOD | changes)
    emitted = decided(bundle, [bad, application(GOOD)])
    letter, decision = emitted.outputs
    found = msgspec.json.decode(letter.value, type=DeadLetter)
    assert (found.reason, found.detail, found.payload) == (reason, detail, bad)
    assert emitted.rejected == {reason: 1}
    assert msgspec.json.decode(decision.value, type=Decision).source.offset == 11


def test_what_is_not_known_is_decided_without(bundle: TableBundle) -> None:
    """Columns that may be missing, a category that nobody has seen, and fields of another release do not matter."""
    for fields in (GOOD | {"income": None, "home": None}, GOOD | {"home": "castle"}, GOOD | {"shoe size": "44"}):
        assert [one.stream for one in decided(bundle, [application(fields)]).outputs] == ["decisions"]
    assert [one.stream for one in decided(bundle, [application({"age": 41, "amount": 9000})]).outputs] == ["decisions"]


def test_a_time_in_the_future_is_a_dead_letter_and_a_late_one_is_not(bundle: TableBundle) -> None:
    """The record's own timestamp says what the future is; an application of years ago is decided like any other."""
    now_ms = START_NS // 1_000_000
    ahead = START_NS + FUTURE_LIMIT_MS * 1_000_000
    values = [application(GOOD, time_ns) for time_ns in (ahead + 1_000_000, ahead, 10**18)]
    emitted = decided(bundle, values, (now_ms,) * 3)
    assert emitted.rejected == {"event_time_in_future": 1}
    assert [one.stream for one in emitted.outputs] == ["dead_letters", "decisions", "decisions"]


def test_malformed_applications_are_refused_for_what_is_wrong_with_them(bundle: TableBundle) -> None:
    """Of a thousand malformed records of every kind none is decided, and each reason is the one stated."""
    records = malformed_applications(1_000, seed=5)
    keys, values = [one.key for one in records], [one.value for one in records]
    chunk = Chunk.of("applications", PARTITION, tuple(range(1_000)), tuple(keys), tuple(values), caught_up=True)
    emitted = ApplicationFold(PARTITION, bundle=bundle).advance(chunk)
    letters = [msgspec.json.decode(one.value, type=DeadLetter) for one in emitted.outputs]
    assert [one.source.offset for one in letters] == list(range(1_000))
    for record, letter in zip(records, letters, strict=True):
        assert letter.reason in record.reasons, (record.value and record.value[:200], letter.detail)
