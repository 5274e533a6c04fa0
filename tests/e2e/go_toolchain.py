"""The Go that builds the examples."""

import os
import shutil
from pathlib import Path

INSTALLED = Path(__file__).parents[2] / ".cache" / "go" / "go" / "bin" / "go"
"""Where `make` puts it on a machine without."""


def go() -> str:
    """Return the Go that builds the example: $GO, the machine's own, or the one that `make` has put here."""
    own = os.environ.get("GO") or shutil.which("go") or str(INSTALLED)
    assert Path(own).is_file(), f"no go at {own}: run `make test`, or set GO"
    return own
