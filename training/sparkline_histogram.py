"""A histogram of a few rectangles, small enough that a page may hold hundreds, with a line of rates over it."""

from collections.abc import Sequence
from html import escape

from training.html_page import Html

_WIDTH, _HEIGHT, _FLOOR, _TOP = 240.0, 64.0, 62.0, 4.0


def sparkline_histogram(
    counts: Sequence[int], name: str, *, rates: Sequence[tuple[float, float]] = (), level: float | None = None
) -> Html:
    """Return a drawing of the counts as bars, side by side, labelled `name` for who cannot see it.

    `rates` are points (place from 0 to 1 across the bars, rate from 0 to 1) joined by a line, and `level` a rate drawn
    across; the highest of all rates is at the top.

    >>> drawn = sparkline_histogram([1, 2], "<x>", rates=[(0.25, 0.1), (0.75, 0.2)], level=0.15)
    >>> drawn.count("<rect"), drawn.count("<polyline"), "&lt;x&gt;" in drawn
    (2, 1, True)
    """
    tallest = max(counts, default=0) or 1
    step = _WIDTH / max(len(counts), 1)
    bars = "".join(
        # What is there is seen, however rare.
        f'<rect x="{at * step + step * 0.06:.2f}" y="{_FLOOR - height:.2f}" width="{step * 0.88:.2f}"'
        f' height="{height:.2f}"/>'
        for at, count in enumerate(counts)
        if count and (height := max((_FLOOR - _TOP) * count / tallest, 1.0))
    )
    highest = max([rate for _, rate in rates] + ([] if level is None else [level]), default=0.0) or 1.0
    across = "" if level is None else _level(_place(level, highest))
    points = " ".join(f"{place * _WIDTH:.2f},{_place(rate, highest):.2f}" for place, rate in rates)
    line = (
        ""
        if not rates
        else f'<polyline points="{points}" fill="none" stroke="var(--series-2)" stroke-width="1.6"/>'
        + "".join(
            f'<circle cx="{place * _WIDTH:.2f}" cy="{_place(rate, highest):.2f}" r="2" fill="var(--series-2)"/>'
            for place, rate in rates
        )
    )
    return Html(
        f'<svg role="img" aria-label="{escape(name)}" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}">'
        f'<g fill="var(--series-1)" fill-opacity="0.55">{bars}</g>'
        f'<path d="M0 {_FLOOR + 0.5:g}H{_WIDTH:g}" stroke="var(--line)"/>{across}{line}</svg>'
    )


def _place(rate: float, highest: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * rate / highest


def _level(y: float) -> str:
    return f'<path d="M0 {y:.2f}H{_WIDTH:g}" stroke="var(--faint)" stroke-dasharray="3 3"/>'
