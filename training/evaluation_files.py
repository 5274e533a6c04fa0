"""Writes an evaluation: the page, the model card, and all figures as JSON."""

from pathlib import Path

import msgspec

from training.full_evaluation import Evaluation
from training.model_card import model_card
from training.report_page import report_page

PAGE_FILE = "report.html"
CARD_FILE = "model-card.md"
FIGURES_FILE = "evaluation.json"


def write_evaluation(found: Evaluation, folder: Path) -> list[Path]:
    """Write the three files into a folder, which is made where it is absent, and return their paths.

    Equal evaluations give equal bytes. Raises OSError where they cannot be written.
    """
    contents = {
        PAGE_FILE: report_page(found).encode(),
        CARD_FILE: model_card(found).encode(),
        FIGURES_FILE: msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
