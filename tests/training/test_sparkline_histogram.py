from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from training.sparkline_histogram import sparkline_histogram

shares = st.floats(0.0, 1.0)


@given(st.lists(st.integers(0, 10**9), max_size=30), st.lists(st.tuples(shares, shares), max_size=12), shares)
def test_everything_is_inside_the_drawing(counts: list[int], rates: list[tuple[float, float]], level: float) -> None:
    """A bar for each count above 0, a dot for each rate, and all of them within the frame."""
    drawn = ElementTree.fromstring(sparkline_histogram(counts, "name", rates=rates, level=level))
    _, _, width, height = (float(one) for one in drawn.attrib["viewBox"].split())
    bars, dots = drawn.findall(".//rect"), drawn.findall(".//circle")
    assert (len(bars), len(dots)) == (sum(count > 0 for count in counts), len(rates))
    for bar in bars:
        x, y, w, h = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0.0 <= x < x + w <= width + 0.01
        assert 0.0 <= y < y + h <= height
    for dot in dots:
        assert 0.0 <= float(dot.attrib["cx"]) <= width
        assert 0.0 <= float(dot.attrib["cy"]) <= height


def test_bars_and_rates_are_to_scale() -> None:
    """A count twice as large has a bar twice as high, and the highest rate is at the top."""
    drawn = ElementTree.fromstring(sparkline_histogram([5, 10], "name", rates=[(0.25, 0.3), (0.75, 0.6)], level=0.15))
    low, high = (float(bar.attrib["height"]) for bar in drawn.findall(".//rect"))
    assert high == 2.0 * low
    first, second = (float(dot.attrib["cy"]) for dot in drawn.findall(".//circle"))
    floor = max(float(bar.attrib["y"]) + float(bar.attrib["height"]) for bar in drawn.findall(".//rect"))
    assert (floor - second) == 2.0 * (floor - first)


def test_a_hostile_name_is_a_name() -> None:
    """It is the drawing's label, and nothing else comes of it."""
    hostile = "\"><script>alert(1)</script>'"
    drawn = ElementTree.fromstring(sparkline_histogram([1], hostile))
    assert drawn.attrib["aria-label"] == hostile
    assert not drawn.findall(".//script")
