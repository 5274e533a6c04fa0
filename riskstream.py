"""The command line `riskstream`."""

import typer

main = typer.Typer(no_args_is_help=True, help="Score a live stream of transactions and ticks.")

if __name__ == "__main__":
    main()
