import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.event_order import merge_order

Event = tuple[int, bool, str]
"""Event time, whether it is a transaction, and its id."""

events = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1)),
        st.booleans(),
        st.text(st.sampled_from("abé\U0001f600"), max_size=3),
    ),
    max_size=60,
)


def order_of(drawn: list[Event]) -> list[int]:
    """Return the permutation of events given row by row."""
    order = merge_order(
        np.array([one[0] for one in drawn], dtype=np.int64),
        np.array([one[1] for one in drawn], dtype=np.bool_),
        [one[2] for one in drawn],
    )
    assert order.dtype == np.int64
    found: list[int] = order.tolist()
    return found


@given(events)
def test_events_are_sorted_as_tuples_are(drawn: list[Event]) -> None:
    """The order is that of sorting (event time, labels first, event id), and of equal events as they came."""
    assert order_of(drawn) == sorted(range(len(drawn)), key=drawn.__getitem__)


@given(st.data(), events)
def test_the_order_does_not_depend_on_how_events_came(data: st.DataObject, drawn: list[Event]) -> None:
    """However the same events come in, they leave in one order."""
    shuffled = data.draw(st.permutations(drawn))
    assert [shuffled[at] for at in order_of(shuffled)] == [drawn[at] for at in order_of(drawn)]


def test_a_label_counts_for_the_transactions_of_its_instant() -> None:
    """At one instant labels come before transactions, whatever their ids; else time decides."""
    assert order_of([(5, True, "a"), (5, False, "z"), (4, True, "y"), (6, False, "b")]) == [2, 1, 0, 3]


def test_many_ties_are_sorted() -> None:
    """Thousands of events of a few instants are sorted by their ids within each."""
    draw = np.random.default_rng(1)
    drawn = [
        (int(time_ns), bool(kind), f"t{number}")
        for time_ns, kind, number in zip(
            draw.integers(0, 7, 5_000), draw.integers(0, 2, 5_000), draw.permutation(5_000), strict=True
        )
    ]
    assert order_of(drawn) == sorted(range(5_000), key=drawn.__getitem__)
