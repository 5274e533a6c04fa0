"""The command line `riskstream`: the one place that knows both the serving and the training side."""

import typer

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="Score risk on live streams of transactions and ticks: train a bundle, run workers, watch the alerts.",
)
