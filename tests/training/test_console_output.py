"""What a verb tells of an error is what it was given."""

import pytest

from training.console_output import fail


def test_square_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """The extra that has to be installed is shown, and the status is that of a usage error."""
    assert fail("needs it; pip install 'riskstream[train]'").exit_code == 2
    assert capsys.readouterr().err == "error: needs it; pip install 'riskstream[train]'\n"
