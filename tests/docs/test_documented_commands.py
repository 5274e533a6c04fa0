import pytest

from tests.docs.documented_commands import without_comment
from tests.docs.test_inline_code import problem_of


@pytest.mark.parametrize(
    ("line", "command"),
    [("riskstream run   # a worker", "riskstream run"), ("# nothing", ""), ("curl x/#y", "curl x/#y"), ("a #", "a")],
)
def test_a_comment_is_no_part_of_a_command(line: str, command: str) -> None:
    """What follows a mark of its own is left out, and a mark within a word is not."""
    assert without_comment(line) == command


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("riskstream run", None),
        ("riskstream market", None),
        ("A=b riskstream alerts --json | jq .reasons", None),
        ("riskstream fly", "no such verb: fly"),
        ("riskstream alerts --loud", "no such option of riskstream alerts: --loud"),
    ],
)
def test_a_verb_or_option_that_is_not_there_is_found(command: str, problem: str | None) -> None:
    """Commands that are only named are held against the command line."""
    assert problem_of(command) == problem
