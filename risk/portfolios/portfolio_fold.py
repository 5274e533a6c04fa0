"""Second hop of markets: bars, curves and positions -> portfolios' value and risk -> portfolio risk and alerts."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from risk.back_tests import back_test
from risk.back_tests.back_test import BackTest
from risk.chunk import Chunk
from risk.event_merge import EventMerge, MergeCut
from risk.fold import Emitted
from risk.market.market_events import BAR, CURVE, SYMBOL_POSITION, Block, Role, Source, decode_block
from risk.market.released_rows import MarketBlocks, ReleasedRows
from risk.portfolios import joint_residuals, last_bars, portfolio_book
from risk.portfolios.bond_valuation import Curve
from risk.portfolios.joint_residuals import JointResiduals
from risk.portfolios.last_bars import LastBars
from risk.portfolios.portfolio_book import PortfolioBook
from risk.portfolios.portfolio_outputs import PortfolioOutputs
from risk.portfolios.portfolio_parameters import PortfolioParameters
from risk.portfolios.portfolio_risks import PortfolioRisks
from risk.rates.bond import Bond
from schemas.currency import CurrencyCode

ROLES: tuple[Role, ...] = ("ticks", "rates", "positions")
"""The streams that market events come from."""


class _Cut(msgspec.Struct, frozen=True):
    """What the state contains: the merge, how many steps there were, and when the open one ends, 0 for none."""

    merge: MergeCut
    step: int
    open_end_ns: int


class PortfolioFold:
    """Values one partition of portfolios; see `risk.fold.Fold`.

    The market advances by steps (`risk.portfolios.last_bars`). When one closes, each portfolio that it moved, or whose
    symbols changed in it, is valued; when a currency's curve comes, each that holds its bonds. `topics` names the topic
    that each role's messages lie in. Portfolio risk and alerts go to this partition's number in their topics.
    """

    def __init__(
        self, partition: int, *, partitions: int, parameters: PortfolioParameters, topics: Mapping[Role, str]
    ) -> None:
        self._parameters = parameters
        self._topics = topics
        sources: list[Source] = [(role, at) for role in ROLES for at in range(partitions)]
        self._merge = EventMerge[Block, MarketBlocks](sources, MarketBlocks)
        self._bars = LastBars()
        self._joint = JointResiduals(parameters.correlation)
        self._book = PortfolioBook()
        self._back_test = BackTest(parameters.levels)
        self._risks = PortfolioRisks(
            self._bars,
            self._joint,
            self._book,
            self._back_test,
            parameters,
            PortfolioOutputs(partition, parameters),
        )
        self._step = 0
        self._open_end_ns = 0

    @property
    def state_version(self) -> str:
        """Names the form of the rows, the symbols whose correlations were trained, and the levels that are tested."""
        steps = (portfolio_book, last_bars, joint_residuals, back_test)
        versions = ".".join(str(step.STATE_VERSION) for step in steps)
        shape = msgspec.msgpack.encode((self._parameters.correlation.symbols, self._parameters.levels))
        return f"portfolios-{versions}-{hashlib.blake2b(shape, digest_size=4).hexdigest()}"

    def __len__(self) -> int:
        return len(self._book)

    def advance(self, chunk: Chunk) -> Emitted:
        """Take what the market and the portfolios did, in the order of event time; emit portfolio risk and alerts."""
        emitted = Emitted()
        blocks = []
        for value in chunk.values:
            assert value is not None, "market-events is written by first hops alone"
            blocks.append(decode_block(value))
        released = self._merge.add(chunk.offsets.tolist(), blocks)
        if released is None:
            return emitted
        emitted.counts = dict.fromkeys(("bars", "curves", "positions", "valued", "alerted"), 0)
        rows = ReleasedRows(released)
        kinds, ends = rows.kinds.tolist(), rows.end_ns.tolist()
        at = 0
        while at < len(rows):
            if kinds[at] == BAR:
                if ends[at] > self._open_end_ns:
                    self._close_step(rows, at, emitted)
                    self._open_end_ns = ends[at]
                    self._step += 1
                end = at + 1
                while end < len(rows) and kinds[end] == BAR and ends[end] <= self._open_end_ns:
                    end += 1
                self._bars.take(rows.key[at:end], rows.numbers(at, end), self._step)
                emitted.counts["bars"] += end - at
                at = end
                continue
            if kinds[at] == CURVE:
                self._take_curve(rows, at, emitted)
            else:
                self._take_position(rows, at)
                emitted.counts["positions"] += 1
            at += 1
        emitted.counts["late"] = released.late
        emitted.counts["released_early"] = released.early
        return emitted

    def _close_step(self, rows: ReleasedRows, at: int, emitted: Emitted) -> None:
        """Close the open step, as the bar in row `at` shows that it is over."""
        if not self._open_end_ns:
            return
        symbols = self._bars.rows(self._joint.symbols)
        self._joint.add(self._bars.residuals(symbols, self._step))
        source = rows.source(at, self._topics)
        self._risks.after_step(self._step, self._open_end_ns, source, emitted)

    def _take_curve(self, rows: ReleasedRows, at: int, emitted: Emitted) -> None:
        (numbers,) = rows.numbers(at, at + 1)
        half = len(numbers) // 2
        curve = Curve(int(rows.end_ns[at]), numbers[:half].tobytes(), numbers[half:].tobytes())
        emitted.counts["curves"] += 1
        currency = cast(CurrencyCode, rows.key[at])
        self._risks.after_curve(currency, curve, rows.source(at, self._topics), emitted)

    def _take_position(self, rows: ReleasedRows, at: int) -> None:
        portfolio, name = rows.key[at], rows.name[at]
        ((quantity, coupon_percent, frequency),) = rows.numbers(at, at + 1).tolist()
        if rows.kinds[at] == SYMBOL_POSITION:
            before = self._book.set_symbol(portfolio, name, quantity)
            if before == 0.0 and quantity != 0.0:
                self._joint.take_up(name)
            elif before != 0.0 and quantity == 0.0:
                self._joint.let_go(name)
            return
        terms = {
            "currency": name,
            "maturity_ns": int(rows.end_ns[at]),
            "coupon_percent": coupon_percent,
            "frequency": int(frequency),
            "notional": quantity,
        }
        self._book.set_bond(portfolio, msgspec.convert(terms, Bond))

    def _steps(self) -> dict[bytes, Any]:
        return {
            b"s": self._bars,
            b"j": self._joint,
            b"p": self._book,
            b"b": self._back_test,
            b"c": self._risks,
        }

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the rows changed since the last call; keys begin with the letter of the step."""
        return [(letter + key, row) for letter, step in self._steps().items() for key, row in step.take_changed()]

    def cut(self) -> bytes:
        """Return what the merge contains, and how far the market has come."""
        return msgspec.msgpack.encode(_Cut(self._merge.cut(), self._step, self._open_end_ns))

    def last_offset(self) -> int:
        """Return the offset of the last block taken."""
        return self._merge.cut().log_offset

    def read_on_offset(self) -> int:
        """Return the offset of the first block with a row that still waits, or the one after the last block."""
        return self._merge.cut().read_on_offset

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        found = msgspec.msgpack.decode(cut, type=_Cut)
        self._merge.restore(found.merge)
        self._step, self._open_end_ns = found.step, found.open_end_ns
        steps = self._steps()
        by_step: dict[bytes, list[tuple[bytes, bytes]]] = {letter: [] for letter in steps}
        for key, row in rows:
            by_step[key[:1]].append((key[1:], row))
        for letter, step in steps.items():
            step.load(by_step[letter])
        for portfolio in self._book.portfolios.values():
            for symbol in portfolio.symbols:
                self._joint.take_up(symbol)
