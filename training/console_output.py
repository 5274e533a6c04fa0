"""Where the verbs of training write: results on standard output, errors and progress on standard error."""

import typer
from rich.console import Console
from rich.markup import escape

output = Console()
errors = Console(stderr=True)


def show_error(message: str) -> None:
    """Print one line on standard error."""
    errors.print(f"[red]error:[/] {escape(message)}", highlight=False, soft_wrap=True)


def fail(message: str) -> typer.Exit:
    """Print one line on standard error and return the exit of a usage error, to be raised."""
    show_error(message)
    return typer.Exit(2)
