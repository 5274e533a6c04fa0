"""`riskstream forward parquet FOLDER` that kills itself: `python dying_forwarder.py WHERE FOLDER`.

It dies by SIGKILL where a span is staged and not committed, `before_commit`, or is committed and not in its place,
`after_commit`.
"""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from riskstream import main
from stream.forward.alert_table import AlertRow
from stream.forward.trail_files import Span, TrailFiles

_stage = TrailFiles.stage


def _die(files: TrailFiles, span: Span) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _stage_and_die(files: TrailFiles, span: Span, rows: Sequence[AlertRow]) -> None:
    _stage(files, span, rows)
    _die(files, span)


if __name__ == "__main__":
    where, folder = sys.argv[1:]
    method, fault = ("publish", _die) if where == "after_commit" else ("stage", _stage_and_die)
    setattr(TrailFiles, method, fault)
    main(["forward", "parquet", folder, "--every-seconds", "1"])
