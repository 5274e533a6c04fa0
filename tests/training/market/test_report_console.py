import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from tests.hostile import outline
from tests.training.market.small_report import small_report
from training.market import report_console
from training.market.report_files import report_figures, write_report

APP = typer.Typer()
APP.command()(report_console.report)


def run(*arguments: str) -> Result:
    """Run the verb."""
    return CliRunner().invoke(APP, list(arguments))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Give a file of 620 daily closes."""
    random = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(random.standard_t(5, 620)) / 100.0)
    days = np.datetime64("2024-01-01") + np.arange(620)
    path = tmp_path / "acme.csv"
    path.write_text("date,close\n" + "".join(f"{day},{one:.4f}\n" for day, one in zip(days, close, strict=True)))
    return path


def test_a_report_is_written_and_told(history: Path, tmp_path: Path) -> None:
    """Page and figures lie in the folder, and the terminal tells the back-tests and what to take from them."""
    out = tmp_path / "new" / "folder"
    found = run("--history", str(history), "--refit-bars", "200", "--out", str(out))
    assert found.exit_code == 0, found.output
    assert "Kupiec" in found.output
    assert "The last forecast says" in found.output
    page = outline((out / "market-report.html").read_text())
    assert "Market risk of acme" in page.text
    figures = json.loads((out / "market-report.json").read_text())
    assert figures["bars"] == 620 - 1 - 500
    assert figures["value_at_risk_by"] == "GJR-GARCH, skewed t, learning from exceedances"
    assert len(figures["candidates"]) == 21
    assert {one["level"] for one in figures["levels"]} == {0.95, 0.975, 0.99}


def test_figures_are_printed_as_json_alone(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One JSON value on standard output, and no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report_console, "_study", lambda series, plan, set_aside: small_report())
    found = run("--history", str(history), "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["symbol"] == "ACME"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["acme.csv"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--history", "absent.csv"), "absent.csv: is no file"),
        (("--symbol", "X"), "--symbol X: is of a --history"),
        (("--json", "--out", "x"), "--json, --out: give one of the two"),
        (("--history", "short.csv", "--json"), "has 2 returns, and 500 are needed"),
        (("--history", "short.csv", "--out", "short.csv"), "--out: cannot be written to"),
    ],
)
def test_what_cannot_be_done_ends_with_status_2_and_one_line(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the option, the value and the remedy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.csv").write_text("date,close\n2026-01-01,1\n2026-01-02,2\n2026-01-03,3\n")
    found = run(*arguments)
    assert found.exit_code == 2
    assert says in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


def test_equal_reports_give_equal_figures() -> None:
    """Byte for byte, and a number for every test."""
    assert report_figures(small_report()) == report_figures(small_report())
    figures = json.loads(report_figures(small_report()))
    assert [one["name"] for one in figures["residual_tests"]] == [
        "Ljung-Box, z",
        "Ljung-Box, z squared",
        "ARCH-LM",
        "Jarque-Bera",
    ]
    assert figures["traffic_light"]["windows"] == 351


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """The caller is told by OSError."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_report(small_report(), tmp_path / "file")
