"""The command line `riskstream`: the one place that knows both the serving and the training side."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from history_messages import label_messages, position_messages, rate_messages, tick_messages, transaction_messages
from market_refit_console import refit
from market_report_console import live_report
from send_console import send
from stream import console as serving
from stream import state_console
from stream.decision_console import decisions
from stream.explain_console import explain
from stream.lag_console import lag
from stream.monitor_console import monitor
from stream.replay_console import replay
from training import console as learning
from training import data_console
from training.evaluate_console import evaluate_verb
from training.market import report_console as market_report
from training.market import train_console as market_learning
from training.score_console import score_verb

if TYPE_CHECKING:
    from schemas.position import Position

DEMO_SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD", "AUDUSD")

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Score risk on live streams of transactions and ticks: train a bundle, run workers, watch the alerts.",
)
bundles = typer.Typer(no_args_is_help=True, help="Look at bundles: what a worker scores with.")
states = typer.Typer(no_args_is_help=True, help="What workers keep in Kafka: profiles, volatility, where they are.")
markets = typer.Typer(no_args_is_help=True, help="Markets: learn volatility, risk and forecasts; report; refit.")
data = typer.Typer(no_args_is_help=True, help="Look at files of data: what they hold, before anything is learnt.")
main.command()(learning.train)
main.command()(evaluate_verb(serving.open_or_fail, serving.open_table_or_fail))
main.add_typer(data, name="data")
data.command("profile")(data_console.profile)
main.add_typer(markets, name="market")
markets.command("train")(market_learning.train)
markets.command("report")(market_report.report)
markets.command("live-report")(live_report)
markets.command("refit")(refit)
main.command()(score_verb(serving.open_table_or_fail))
main.add_typer(bundles, name="bundle")
main.add_typer(states, name="state")
states.command("rebuild")(state_console.rebuild)
bundles.command("show")(serving.show_bundle)
bundles.command("verify")(serving.verify_bundle)
main.command()(serving.broker)
main.command("topics")(serving.create_all_topics)
main.command()(serving.run)
main.command()(monitor)
main.command()(lag)
main.command()(serving.alerts)
main.command()(explain)
main.command()(decisions)
main.command()(replay)
main.command()(send)


@main.command()
def demo(
    bundle: Annotated[Path, typer.Option(help="The bundle that scores.")] = Path("bundles/demo"),
    market_bundle: Annotated[Path, typer.Option(help="The bundle of markets.")] = Path("bundles/demo-market"),
    rate: Annotated[float, typer.Option(min=10.0, help="Live transactions a second.")] = 1500.0,
    seed: Annotated[int, typer.Option(help="Seed of the simulated stream.")] = 2029,
) -> None:
    """Watch live streams being scored: broker, worker, simulated transactions and markets, alerts with reasons.

    Needs no data, no Java, no Docker; stops by itself and leaves nothing running.

    Example: riskstream demo --rate 500
    """
    import numpy as np

    from stream.broker_process import BrokerError
    from stream.demo import DemoError, DemoStream, run_demo
    from training.market.tick_simulator import MINUTE_NS, simulate_ticks
    from training.rates.curve_simulator import simulate_rates
    from training.simulator import simulate_transactions

    serving.load_settings()
    serving.open_or_fail(bundle)
    serving.open_market_or_fail(market_bundle)
    history = simulate_transactions(customers=800, merchants=200, days=46, seed=seed)
    live_from_ns = int(np.quantile(history.event_time_ns, 0.88))
    live = history.where(np.flatnonzero(history.event_time_ns >= live_from_ns))
    past = history.where(np.flatnonzero(history.event_time_ns < live_from_ns))
    ticks = simulate_ticks(DEMO_SYMBOLS, 20_000, seed, start_ns=live_from_ns // MINUTE_NS * MINUTE_NS)
    week_ns = 7 * 86_400_000_000_000
    # The Unix epoch was a Thursday.
    monday_ns = (live_from_ns - 4 * 86_400_000_000_000) // week_ns * week_ns + 4 * 86_400_000_000_000
    stream = DemoStream(
        past_transactions=list(transaction_messages(past, "EUR")),
        past_labels=list(label_messages(past)),
        live_transactions=list(transaction_messages(live, "EUR")),
        live_labels=list(label_messages(live)),
        live_ids=live.transaction_id,
        ticks=list(tick_messages(ticks)),
        rates=list(rate_messages(simulate_rates(["USD"], 30, seed, start_ns=monday_ns))),
        positions=list(position_messages(_demo_positions(live_from_ns))),
        fraud_ids=frozenset(
            name for name, fraud in zip(history.transaction_id, history.fraud.tolist(), strict=True) if fraud
        ),
        rate_per_second=rate,
    )
    try:
        run_demo(stream, bundle, market_bundle, serving.output)
    except (DemoError, BrokerError) as failed:
        serving.errors.print(f"[red]the demonstration failed:[/] {failed}", highlight=False)
        raise typer.Exit(1) from None


def _demo_positions(time_ns: int) -> list["Position"]:
    """Return a portfolio of two currencies, and one of bonds whose value rates could cut."""
    from schemas.position import Position

    year_ns = 365 * 86_400_000_000_000
    return [
        Position(1, "carry", time_ns, 50_000.0, symbol="AUDUSD"),
        Position(1, "carry", time_ns, -40_000.0, symbol="USDJPY"),
        Position(
            1,
            "treasuries",
            time_ns,
            1e6,
            currency="USD",
            maturity_ns=time_ns + 30 * year_ns,
            coupon_percent=4.0,
            frequency=2,
        ),
    ]


if __name__ == "__main__":
    main()
