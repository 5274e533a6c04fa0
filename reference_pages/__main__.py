"""Makes the pages of `docs/reference/` from the code: `make reference` writes them, and a test holds them to it."""

from pathlib import Path

from reference_pages.command_line_page import command_line_page
from reference_pages.dead_letters_page import dead_letters_page
from reference_pages.metrics_page import metrics_page
from reference_pages.settings_page import settings_page
from reference_pages.topics_page import topics_page

FOLDER = Path(__file__).parents[1] / "docs" / "reference"

PAGES = {
    "command-line.md": command_line_page,
    "dead-letters.md": dead_letters_page,
    "metrics.md": metrics_page,
    "settings.md": settings_page,
    "topics.md": topics_page,
}
"""What makes each page, by its name in the folder."""


def main() -> None:
    """Write the pages."""
    for name, made in PAGES.items():
        (FOLDER / name).write_text(made())


if __name__ == "__main__":
    main()
