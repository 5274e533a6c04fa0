import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.alert_gate import AlertState
from risk.portfolios.portfolio_book import Forecast, PortfolioBook
from risk.rates.bond import Bond

names = st.sampled_from(["p", "q", "é"])
actions = st.lists(
    st.one_of(
        st.tuples(st.just("symbol"), names, st.sampled_from("AB"), st.sampled_from([0.0, 1.0, -2.0])),
        st.tuples(st.just("bond"), names, st.integers(1, 2), st.sampled_from([0.0, 100.0])),
        st.tuples(st.just("forecast"), names, st.integers(0, 9)),
        st.tuples(st.just("alert"), names, st.integers(0, 9)),
        st.tuples(st.just("rate"), names, st.integers(0, 9)),
    ),
    max_size=30,
)


def act(book: PortfolioBook, action: tuple[object, ...]) -> None:
    """Do one thing to a book; what is not about a portfolio that is there does nothing."""
    match action:
        case ("symbol", str(name), str(symbol), float(quantity)):
            book.set_symbol(name, symbol, quantity)
        case ("bond", str(name), int(maturity_ns), float(notional)):
            book.set_bond(name, Bond("EUR", maturity_ns, 2.0, 1, notional))
        case (what, str(name), int(number)) if name in book.portfolios:
            portfolio = book.portfolios[name]
            if what == "forecast":
                values = (number + 0.5,)
                book.set_forecast(portfolio, Forecast("normal", 5.0, values, values, values) if number else None)
            elif what == "alert":
                book.set_market_alert(portfolio, AlertState(True, number, 1.5))
            else:
                book.set_rate_alert(portfolio, "EUR", AlertState(False, number, 1.5))


@given(actions, st.integers(1, 6))
def test_what_changed_adds_up_to_the_state(history: list[tuple[object, ...]], every: int) -> None:
    """The rows told as changed, whenever they are asked for, make the state; what is told once is not told again."""
    book, restored = PortfolioBook(), PortfolioBook()
    stored: dict[bytes, bytes] = {}
    for at, action in enumerate(history):
        act(book, action)
        if at % every == 0:
            stored.update(book.take_changed())
            assert book.take_changed() == []
    stored.update(book.take_changed())
    restored.load(stored.items())
    assert restored.dump() == book.dump()
    # A portfolio without any forecast has no row of one, and is as one that was never alerted.
    assert stored.items() <= book.dump().items()


@given(actions)
def test_holdings_are_the_last_that_were_set(history: list[tuple[object, ...]]) -> None:
    """Symbols and bonds are those last set and not 0, and what was held at the forecast stays until the next."""
    book = PortfolioBook()
    symbols: dict[str, dict[str, float]] = {}
    at_forecast: dict[str, dict[str, float]] = {}
    for action in history:
        act(book, action)
        match action:
            case ("symbol", str(name), str(symbol), float(quantity)):
                symbols.setdefault(name, {}).pop(symbol, None)
                if quantity:
                    symbols[name][symbol] = quantity
            case ("forecast", str(name), _):
                at_forecast[name] = dict(symbols.get(name, {}))
    for name, portfolio in book.portfolios.items():
        assert portfolio.symbols == symbols.get(name, {})
        assert portfolio.at_forecast == at_forecast.get(name, {})


def test_bonds_come_in_the_order_of_their_terms() -> None:
    """The bonds of a currency are in one order, whichever was bought first; a notional of 0 gives one up."""
    book = PortfolioBook()
    for bond in (Bond("EUR", 9, 1.0, 1, 5.0), Bond("USD", 1, 1.0, 1, 5.0), Bond("EUR", 3, 1.0, 1, 5.0)):
        book.set_bond("p", bond)
    assert [bond.maturity_ns for bond in book.portfolios["p"].bonds_in("EUR")] == [3, 9]
    book.set_bond("p", Bond("EUR", 3, 1.0, 1, 0.0))
    assert [bond.maturity_ns for bond in book.portfolios["p"].bonds_in("EUR")] == [9]
    assert book.portfolios["p"].bonds_changed == {"EUR", "USD"}


def test_a_row_of_another_form_is_refused() -> None:
    """A packed row that is none raises an error."""
    with pytest.raises(ValueError, match="Expected"):
        PortfolioBook().load([(b"hp", b"\x05")])
