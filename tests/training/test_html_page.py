from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import HOSTILE, outline
from training.html_page import figure, figures, page, paragraph, preformatted, table
from training.inline_svg import SERIES, drawing, inline_svg

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def hostile_page() -> str:
    """Return a page whose every text is hostile."""
    with drawing(HOSTILE) as (drawn, axes):
        axes.plot([0, 1], [0, 1], color=SERIES[0], label=HOSTILE)
        axes.set_xlabel(HOSTILE)
        axes.legend()
        svg = inline_svg(drawn, HOSTILE)
    parts = [
        paragraph(HOSTILE),
        preformatted(HOSTILE),
        table([HOSTILE, HOSTILE], [[HOSTILE, HOSTILE]], caption=HOSTILE),
        figures([figure(svg, HOSTILE)]),
    ]
    return page(HOSTILE, HOSTILE, [(HOSTILE, parts)])


def test_hostile_texts_are_shown_and_not_obeyed() -> None:
    """No tag, attribute or comment comes out of a text, in the page or in a drawing, and the text is there whole."""
    document = hostile_page()
    found = outline(document)
    assert not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert found.text.count(HOSTILE) >= 12
    assert "<!--" not in document
    assert ("aria-label", HOSTILE) in found.attributes


def test_a_page_needs_no_other_file() -> None:
    """Nothing is fetched: references are within the page, and its policy forbids the rest."""
    found = outline(hostile_page())
    references = [value for name, value in found.attributes if name in {"href", "xlink:href", "src"}]
    assert references
    assert all(value is not None and value.startswith("#") for value in references)
    assert any(value == "default-src 'none'; style-src 'unsafe-inline'" for _, value in found.attributes)


def test_a_page_is_the_same_bytes_again() -> None:
    """Drawings carry no date, and their ids are made from their names."""
    assert hostile_page() == hostile_page()


def test_ids_are_one_of_a_kind() -> None:
    """Two drawings of the same kind in one page share no id."""
    drawn = []
    for name in ("first", "second"):
        with drawing(name) as (plot, axes):
            axes.plot([0, 1], [0, 1], marker="o")
            drawn.append(figure(inline_svg(plot, name), name))
    found = outline(page("two", "", [("both", [figures(drawn)])]))
    ids = [value for name, value in found.attributes if name == "id"]
    assert len(ids) == len(set(ids)) > 2


def test_drawings_take_the_pages_colours() -> None:
    """A series' mark leaves as a variable of the style sheet, and no fixed black or white is left."""
    with drawing("colours") as (plot, axes):
        axes.plot([0, 1], [0, 1], color=SERIES[1], label="line")
        axes.legend()
        svg = inline_svg(plot, "colours")
    assert "var(--series-2)" in svg
    assert "#0101" not in svg
    assert "#000000" not in svg
    assert "#ffffff" not in svg


@given(st.lists(st.tuples(words, words), max_size=5))
def test_a_table_holds_its_texts(rows: list[tuple[str, str]]) -> None:
    """Every cell can be read back, whatever characters it is made of, and nothing else is there."""
    found = outline(table(["a", "b"], rows))
    assert found.tags.count("tr") == len(rows) + 1
    assert found.text.replace("\n", "") == "ab" + "".join(cell for row in rows for cell in row)


def test_numbers_are_set_to_the_right() -> None:
    """A column of numbers and dashes is; one with a word in it, and the first, are not."""
    shown = table(["id", "value", "mixed"], [["1", "0.5", "2"], ["2", "-", "none"]])
    assert shown.count('class="number"') == 3
    assert '<td class="number">-</td><td>none</td>' in shown
