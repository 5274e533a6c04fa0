"""Tells how a search of hyper-parameters goes, and how it ended."""

from typing import TYPE_CHECKING

from training.console_output import output

if TYPE_CHECKING:
    from training.plan_search import Searched, SearchProgress


def show_search_ended(search: "Searched") -> None:
    """Print what a search took from its journal, and whether the budget ended it."""
    if search.taken:
        output.print(f"{search.taken} evaluations taken from {search.journal}", style="dim", soft_wrap=True)
    if search.stopped:
        output.print("the budget ended the search: the best plan so far is used; run again to go on", style="yellow")


def described_search(found: "SearchProgress") -> str:
    """Return how far a search is, in a line."""
    rows = "all rows" if found.share == "1" else f"{found.share} of the rows"
    return f"{found.model}: trial {found.trial} of {found.trials} on {rows}, best {found.best:.4f}"
