from hypothesis import given
from hypothesis import strategies as st

from stream.fetch_pacing import BEHIND_RECORDS, LEAST_SECONDS, MOST_SECONDS, RECORDS_WANTED, FetchPacing


def steady(records_per_second: float, seconds: float = 2.0) -> FetchPacing:
    """Return a pacing that has seen a steady stream, fetched as it says."""
    now = 0.0
    pacing = FetchPacing(now)
    while now < seconds:
        period = pacing.period_seconds
        now += period
        pacing.fetched(round(records_per_second * period), now)
    return pacing


def test_a_steady_stream_gives_the_records_wanted_a_fetch() -> None:
    """Between the bounds, the period is that in which as many records come as a fetch should bring."""
    assert abs(steady(5_000).period_seconds * 5_000 - RECORDS_WANTED) < 3


@given(st.lists(st.tuples(st.integers(0, BEHIND_RECORDS - 1), st.floats(0.0, 1e6))))
def test_no_record_waits_longer_than_the_bound_for_company(fetches: list[tuple[int, float]]) -> None:
    """Whatever came, the next fetch is due within the bounds."""
    now = 0.0
    pacing = FetchPacing(now)
    for records, elapsed in fetches:
        now += elapsed
        pacing.fetched(records, now)
        assert LEAST_SECONDS <= pacing.period_seconds <= MOST_SECONDS
        assert 0.0 <= pacing.wait_seconds(now) <= MOST_SECONDS + 1e-6


def test_after_a_lull_nothing_is_waited_for() -> None:
    """The wait lies behind a fetch: when its time has passed, the next goes at once."""
    pacing = steady(1_000)
    assert pacing.wait_seconds(10.0) == 0.0


def test_what_is_behind_is_read_without_a_wait() -> None:
    """A fetch that brought very much is followed by the next at once."""
    pacing = steady(1_000)
    pacing.fetched(BEHIND_RECORDS, 2.01)
    assert pacing.wait_seconds(2.01) == 0.0
