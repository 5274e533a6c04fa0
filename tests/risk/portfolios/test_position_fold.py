import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.event_time import FUTURE_LIMIT_MS
from risk.market.market_events import decode_block
from risk.partitioner import partitions_of
from risk.portfolios.held_instruments import HeldInstruments, Instrument
from risk.portfolios.position_fold import PositionFold
from schemas.encoding import encode
from schemas.position import Position

START_NS = 1_767_225_600_000_000_000
START_MS = START_NS // 1_000_000

portfolios = st.sampled_from(["p", "q", "r"])
instruments = st.sampled_from(
    [Instrument("A"), Instrument("B"), Instrument("C"), Instrument("EUR", 5), Instrument("EUR", 6)]
)
positions = st.lists(st.tuples(portfolios, instruments, st.sampled_from([0.0, 1.0, -2.0])), max_size=60)


@given(positions)
def test_no_more_is_held_than_may_be(history: list[tuple[str, Instrument, float]]) -> None:
    """What is taken never goes beyond the limits; what is refused would have; and giving up is never refused."""
    held = HeldInstruments(most_symbols=2, most_bonds=2)
    twin: dict[tuple[str, Instrument], bool] = {}
    for portfolio, instrument, quantity in history:
        after = twin | {(portfolio, instrument): True}
        symbols = {one.name for (_, one), is_held in after.items() if is_held and not one.is_bond}
        bonds = [one for (_, one), is_held in after.items() if is_held and one.is_bond]
        problem = held.take(portfolio, instrument, quantity)
        refused = quantity != 0.0 and (len(symbols) > 2 or len(bonds) > 2)
        assert (problem is not None) == refused
        if problem is None:
            twin[portfolio, instrument] = quantity != 0.0


@given(positions, positions, st.integers(1, 5))
def test_restored_holdings_go_on_exactly(
    before: list[tuple[str, Instrument, float]], after: list[tuple[str, Instrument, float]], every: int
) -> None:
    """The rows told as changed make the state, which takes and refuses the same from then on."""
    held, restored = HeldInstruments(2, 2), HeldInstruments(2, 2)
    rows: dict[bytes, bytes] = {}
    for at, one in enumerate(before):
        held.take(*one)
        if at % every == 0:
            rows.update(held.take_changed())
            assert held.take_changed() == []
    rows.update(held.take_changed())
    restored.load(rows.items())
    assert restored.dump() == held.dump()
    assert [restored.take(*one) for one in after] == [held.take(*one) for one in after]
    assert restored.dump() == held.dump()


def chunk_of(sent: list[Position], timestamp_ms: int = START_MS) -> Chunk:
    """Return positions as records, keyed by their portfolios."""
    count = len(sent)
    keys = tuple(one.portfolio.encode() for one in sent)
    values = tuple(encode(one) for one in sent)
    return Chunk.of("positions", 0, tuple(range(count)), keys, values, True, (timestamp_ms,) * count)


def test_a_position_beyond_the_limit_is_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 512 symbols a position is refused with its own bytes, and taken once there is room again."""
    sent = [Position(1, "p", START_NS, 1.0, symbol=f"s{at}") for at in range(513)]
    sent += [Position(1, "p", START_NS, 2.0, symbol="s0"), Position(1, "p", START_NS, 0.0, symbol="s7"), sent[512]]
    emitted = PositionFold(0, partitions=1).advance(chunk_of(sent))
    assert emitted.rejected == {"too_many_instruments": 1}
    assert emitted.counts == {"forwarded": 515}
    (letter,) = [one for one in emitted.outputs if one.stream == "dead_letters"]
    assert b"symbol='s512'" in letter.value
    assert letter.identity == b"positions/0/512"
    rows = [key for one in emitted.outputs if one.stream == "market_events" for key in decode_block(one.value).name]
    assert rows == [*(f"s{at}" for at in range(512)), "s0", "s7", "s512"]


def test_a_portfolio_that_belongs_elsewhere_is_refused() -> None:
    """A record in another partition than its key's would reach a partition that does not count it."""
    names = [f"p{at}" for at in range(20)]
    home = partitions_of(names, 3).tolist()
    fold = PositionFold(0, partitions=3)
    emitted = fold.advance(chunk_of([Position(1, name, START_NS, 1.0, symbol="A") for name in names]))
    assert emitted.rejected == {"key_mismatch": sum(at != 0 for at in home)}
    assert emitted.counts == {"forwarded": home.count(0)}
    assert len(fold) == home.count(0)


def test_a_position_from_the_future_is_refused() -> None:
    """A position whose time is far after its record's would change what later ones find."""
    position = Position(1, "p", START_NS + (FUTURE_LIMIT_MS + 1) * 1_000_000, 1.0, symbol="A")
    emitted = PositionFold(0, partitions=1).advance(chunk_of([position]))
    assert emitted.rejected == {"event_time_in_future": 1}
