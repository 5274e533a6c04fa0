"""Writes a market report: the page, and its figures as JSON."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from training.market.report import MarketReport
from training.market.report_diagnostics import residual_tests
from training.market.report_page import report_page
from training.market.report_windows import windows_of

PAGE_FILE = "market-report.html"
FIGURES_FILE = "market-report.json"


def report_figures(report: MarketReport) -> bytes:
    """Return the figures of a report as one line of JSON, without its columns: equal reports give equal bytes."""
    windows = windows_of(report)
    light = report.traffic_light
    figures: dict[str, Any] = {
        "symbol": report.symbol,
        "source": report.source,
        "bar": report.bar,
        "bars": len(report),
        "first_ns": int(report.end_ns[0]),
        "last_ns": int(report.end_ns[-1]),
        "value_at_risk_by": report.model,
        "volatility_by": report.volatility_model,
        "last_variance_percent2": float(report.variance_percent2[-1]),
        "levels": [
            {
                "level": one.level,
                "exceedances": int(np.count_nonzero(one.exceeded)),
                "last_value_at_risk_percent": float(one.value_at_risk_percent[-1]),
                "last_expected_shortfall_percent": float(one.expected_shortfall_percent[-1]),
            }
            for one in report.levels
        ],
        "traffic_light": {
            "level": light.level,
            "windows": len(windows),
            "windows_without_set_aside": int(np.count_nonzero(~windows.set_aside)),
            "green_share": windows.green_share,
            "green_share_of_all": windows.green_share_of_all,
            "set_aside": report.set_aside,
            "not_green": windows.not_green,
        },
        "back_tests": report.back_tests,
        "residual_tests": residual_tests(report.z),
        "candidates": report.candidates,
        "forecast_skill": report.skills,
        "notes": (*report.skill_verdicts, *report.notes),
        "command": report.command,
    }
    return msgspec.json.encode(figures)


def write_report(report: MarketReport, folder: Path) -> list[Path]:
    """Write page and figures into a folder, which is made where it is absent, and return their paths.

    Equal reports give equal bytes. Raises OSError where they cannot be written.
    """
    contents = {
        PAGE_FILE: report_page(report).encode(),
        FIGURES_FILE: msgspec.json.format(report_figures(report), indent=2) + b"\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
