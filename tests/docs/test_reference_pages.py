"""The pages of reference are those of the code."""

from pathlib import Path
from typing import get_args

import jsonschema
import msgspec
import pytest

from reference_pages.__main__ import FOLDER, PAGES
from reference_pages.dead_letters_page import TOLD
from reference_pages.settings_page import READERS
from reference_pages.topics_page import EXAMPLES
from risk.rejection import RejectionReason
from schemas.documents import CHANNELS, json_schema
from stream.settings import Settings

MESSAGES = {one.__name__: one for messages, _, _ in CHANNELS.values() for one in messages}


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_that_of_the_code(name: str) -> None:
    """A page that was not made anew after a change of the code is found (`make reference`)."""
    assert (FOLDER / name).read_text() == PAGES[name]()


def test_no_page_is_left_over() -> None:
    """A page that nothing makes any more does not linger; the index is written by hand."""
    assert {path.name for path in FOLDER.iterdir()} == {*PAGES, "index.md"}


def test_every_setting_and_reason_is_told() -> None:
    """What the code has, and no more, is told of."""
    assert list(READERS) == list(Settings.model_fields)
    assert set(TOLD) == set(get_args(RejectionReason))


@pytest.mark.parametrize("name", MESSAGES)
def test_an_example_is_a_message(name: str) -> None:
    """The message shown of each type is one, by the type itself and by its JSON Schema."""
    text = (EXAMPLES / f"{name}.json").read_bytes()
    msgspec.json.decode(text, type=MESSAGES[name])
    jsonschema.validate(msgspec.json.decode(text), json_schema(MESSAGES[name]))


def test_no_example_is_left_over() -> None:
    """An example of a message that is no more does not linger."""
    assert {path.stem for path in Path(EXAMPLES).iterdir()} == set(MESSAGES)
