import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from forwarding import SECRET, some_alerts
from go_toolchain import go

from stream.forward.alert_table import AlertRow
from stream.forward.trail_files import TrailFiles
from stream.forward.webhook_signature import signature_headers, signing_key

TEXT = (Path(__file__).parents[2] / "docs" / "consumers.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the page's blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_pages_python_verifies_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is genuine as it was signed, and not with another body or another time."""
    space: dict[str, object] = {}
    exec(blocks("python")[0], space)
    is_genuine = space["is_genuine"]
    assert callable(is_genuine)
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    headers = signature_headers(signing_key(SECRET), "a1", 1_000, b"{}")
    assert is_genuine(SECRET, headers, b"{}")
    assert not is_genuine(SECRET, headers, b"[]")
    assert not is_genuine(SECRET, signature_headers(signing_key(SECRET), "a1", 600, b"{}"), b"{}")


def test_the_pages_go_verifies_what_is_signed(tmp_path: Path) -> None:
    """So it is with the code in Go, which is formatted as Go is."""
    (block,) = blocks("go")
    (tmp_path / "go.mod").write_text("module webhook\n\ngo 1.25\n")
    (tmp_path / "webhook.go").write_text(block)
    (tmp_path / "webhook_test.go").write_text(
        """package webhook

import (
	"net/http"
	"os"
	"testing"
)

func TestIsGenuine(t *testing.T) {
	header := http.Header{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		header.Set(name, os.Getenv(name))
	}
	if !IsGenuine(os.Getenv("secret"), header, []byte("{}")) || IsGenuine(os.Getenv("secret"), header, []byte("[]")) {
		t.Fail()
	}
	header.Set("webhook-timestamp", "1000")
	if IsGenuine(os.Getenv("secret"), header, []byte("{}")) {
		t.Fail()
	}
}
"""
    )

    headers = signature_headers(signing_key(SECRET), "a1", int(time.time()), b"{}")
    tested = subprocess.run(
        [go(), "test", "."],
        cwd=tmp_path,
        env=os.environ | headers | {"secret": SECRET, "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_pages_query_counts_alerts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gives the alerts of each day and severity."""
    monkeypatch.chdir(tmp_path)
    rows = [AlertRow(alert, "alerts", 0, at) for at, alert in enumerate(some_alerts(5))]
    files = TrailFiles(Path("audit"))
    span = files.span(rows, 4)
    files.stage(span, rows)
    files.publish(span)
    exec(blocks("python")[1], {})
    counted = capsys.readouterr().out
    for day, count in (("01", 2), ("02", 2), ("03", 1)):
        assert f"{{'date': '2026-01-{day}', 'severity': 'high', 'count_all': {count}}}" in counted
