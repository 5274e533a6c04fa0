import json
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from riskstream import main
from training.data_profile import DataProfile, profile
from training.table import load_table


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a file of 400 rows in a directory that is the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    random = np.random.default_rng(6)
    bad = random.random(400) < 0.25
    path = tmp_path / "cases.parquet"
    pq.write_table(
        pa.table(
            {
                "income": np.where(random.random(400) < 0.1, np.nan, random.normal(3000.0, 500.0, 400)),
                "recovered": np.where(bad, random.random(400), -1.0),
                "code": random.integers(1, 5, 400),
                "[red]town[/]": random.choice(["Ulm", "Bonn", "[/]"], 400),
                "status": np.where(bad, "bad", "good"),
            }
        ),
        path,
    )
    return path


def run(*arguments: str) -> Result:
    """Run `riskstream data profile`."""
    return CliRunner().invoke(main, ["data", "profile", *arguments])


def test_a_line_a_column_the_suspects_and_a_page(cases: Path) -> None:
    """Every column has its line and its flags, what leaks is named below, and the page is in the working directory."""
    shown = run(str(cases), "--target", "status", "--positive", "bad")
    assert shown.exit_code == 0, shown.output
    for told in (
        "income",
        "leak?",
        "perhaps a category",
        "[red]town[/]",
        "leak? recovered: ranks the target by itself",
    ):
        assert told in shown.stdout, told
    assert "page cases-profile.html" in shown.stdout
    page = (cases.parent / "cases-profile.html").read_text(encoding="utf-8")
    assert "Profile of cases.parquet" in page
    assert "recovered" in page


def test_json_is_the_profile_and_no_page(cases: Path) -> None:
    """Standard output is the profile alone, as the function gives it, and nothing is written."""
    shown = run(str(cases), "--target", "status", "--positive", "bad", "--categorical", "code", "--json")
    assert shown.exit_code == 0, shown.output
    columns = {one["name"]: one for one in json.loads(shown.stdout)["columns"]}
    assert columns["code"]["kind"] == "category"
    again = profile(load_table(cases, categorical=["code"]), "status", positive="bad", categorical=["code"])
    assert msgspec.json.decode(shown.stdout, type=DataProfile) == again
    assert list(cases.parent.glob("*.html")) == []


def test_the_page_goes_where_it_is_told(cases: Path) -> None:
    """`--out` names it; without a target there is a page, too."""
    assert run(str(cases), "--out", str(cases.parent / "other.html")).exit_code == 0
    assert (cases.parent / "other.html").is_file()
    assert not (cases.parent / "cases-profile.html").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.csv"], "none.csv: is no file"),
        (["{cases}", "--target", "[/]"], "--target [/]: is no column; the file has income"),
        (["{cases}", "--target", "status"], "row 0 is 'good', neither true nor false; say by --positive"),
        (["{cases}", "--target", "status", "--positive", "ugly"], "is ugly in 0 of the 400 rows"),
        (["{cases}", "--target", "code", "--positive", "x"], "--positive x: is no number"),
        (["{cases}", "--positive", "bad"], "--positive bad: is a value of the target; name its column by --target"),
        (["{cases}", "--categorical", "none"], "no column 'none' to take as categorical; it has income"),
        (["{cases}", "--out", "{cases}"], "does not end in .html"),
        (["{cases}", "--out", "none/page.html"], "--out none/page.html: none is no directory; make it"),
        (["{cases}", "--out", "page.html", "--json"], "--json, --out: give one of the two"),
    ],
)
def test_bad_input_is_one_clear_line(cases: Path, arguments: list[str], told: str) -> None:
    """Status 2, no traceback, one line with the option and the remedy, and no page."""
    refused = run(*(one.format(cases=cases) for one in arguments))
    assert refused.exit_code == 2, refused.output
    assert refused.stderr.count("\n") == 1
    assert told in refused.stderr
    assert list(cases.parent.glob("*.html")) == []


def test_a_name_does_not_command_the_terminal(cases: Path) -> None:
    """Control characters of names and values are shown as question marks."""
    pq.write_table(pa.table({"\x1b[31mred": ["\x1b]0;title\x07", "b"] * 20}), cases)
    shown = run(str(cases))
    assert shown.exit_code == 0, shown.output
    assert "\x1b" not in shown.stdout
    assert "?[31mred" in shown.stdout
