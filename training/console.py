"""The verb `train` of the command line."""

from datetime import date, timedelta
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import msgspec
import typer

from risk.manifest import Model
from schemas.currency import CurrencyCode
from training.console_output import errors, fail, output
from training.history_console import show_trained, train_history
from training.recipe_console import train_recipes

if TYPE_CHECKING:
    from training.history import History

MODELS: tuple[Model, ...] = get_args(Model)
SIMULATED_CUSTOMERS, SIMULATED_MERCHANTS, SIMULATED_DAYS = 2_000, 400, 90
_EPOCH = date(1970, 1, 1)


class Normalisation(StrEnum):
    """How features are put on one scale."""

    ZSCORE = "zscore"
    MINMAX = "minmax"


class IntegerTime(StrEnum):
    """Unit of times that a file gives as integers."""

    NS = "ns"
    US = "us"
    MS = "ms"
    S = "s"


def train(
    recipes: Annotated[
        list[Path] | None, typer.Argument(metavar="[RECIPE]...", help="Recipes (TOML) of tables to learn from.")
    ] = None,
    history: Annotated[Path | None, typer.Option(help="Parquet or CSV file of past transactions.")] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Learn from simulated transactions.")] = False,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; repeat for each field.")
    ] = None,
    amount_divisor: Annotated[
        float, typer.Option(min=1.0, help="What the file's amounts are divided by: 100 for cents.")
    ] = 1.0,
    time_unit: Annotated[IntegerTime, typer.Option(help="Unit of the file's times if integers.")] = IntegerTime.NS,
    time_origin: Annotated[str, typer.Option(help="Day that the file's integer times count from.")] = "1970-01-01",
    name: Annotated[str, typer.Option(help="The bundle's name.")] = "risk",
    out: Annotated[Path, typer.Option(help="Directory that holds bundles.")] = Path("bundles"),
    train_from: Annotated[str | None, typer.Option(help="First day to learn from, YYYY-MM-DD, UTC.")] = None,
    train_to: Annotated[str | None, typer.Option(help="Last day to learn from.")] = None,
    test_from: Annotated[str | None, typer.Option(help="First day to test on.")] = None,
    test_to: Annotated[str | None, typer.Option(help="Last day to test on.")] = None,
    delay_days: Annotated[int, typer.Option(min=0, help="Days until a fraud is known.")] = 7,
    model: Annotated[str, typer.Option(help=f"all, or one of {', '.join(MODELS)}; several with commas.")] = "all",
    features: Annotated[str, typer.Option(help="all, handbook, or names of features with commas.")] = "all",
    normaliser: Annotated[Normalisation, typer.Option(help="Scaling of the features.")] = Normalisation.ZSCORE,
    half_life_days: Annotated[
        float | None, typer.Option(min=0.01, help="Let the scaling adapt to the stream; frozen if not given.")
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of all amounts.")] = "EUR",
    review_share: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Share of transactions that may be flagged.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    budget: Annotated[
        float | None, typer.Option(min=0.0, help="Minutes that a recipe's search may take; the best so far is used.")
    ] = None,
) -> None:
    """Learn, and write a bundle: from recipes of any tables, or from a history of transactions.

    A recipe names a table, its target, the steps of preparation and the models: docs/recipes.md. From a history come
    a model in ONNX, normaliser and thresholds; all options but --out and --budget are for histories. `market train`
    learns the models of markets.

    A recipe with a table `search` tries hyper-parameters first, and writes each evaluation to
    OUT/NAME/search-....jsonl, from which a run that was broken off goes on. Two runs give the same bundle, but with
    --budget they may differ: it ends the search after so many minutes, or once what is being evaluated then is done;
    fitting the best follows.

    Several models are compared on the test window; the one of best average precision is bundled. Each must pass the
    parity gate first.

    Example: riskstream train examples/applications.toml

    Example: riskstream train examples/searched.toml --budget 10

    Example: riskstream train --simulate --name demo

    Example: riskstream train --history cards.parquet --map customer_id=CARD --map fraud=IS_FRAUD
    --train-from 2026-01-01 --train-to 2026-01-31 --test-from 2026-02-08 --test-to 2026-02-14
    """
    if find_spec("sklearn") is None or find_spec("onnx") is None:
        raise fail("training needs scikit-learn; pip install 'riskstream[train]'")
    from risk.bundle import BundleError
    from training.history import DAY_NS, HistoryError, read_history
    from training.parity import ParityError
    from training.recipe import MODEL_PLANS
    from training.time_split import SplitError, Windows
    from training.train import Plan

    if (history is not None) + simulate + bool(recipes) != 1:
        raise fail("RECIPE, --history, --simulate: give one of the three")
    if budget is not None and not recipes:
        raise fail(f"--budget {budget:g}: is for the search of a recipe; leave it out")
    if recipes:
        if not train_recipes(recipes, out, budget_minutes=budget):
            raise typer.Exit(2)
        return
    try:
        loaded = (
            _simulated_history(seed)
            if history is None
            else read_history(
                history,
                parse_mapping(mapping or []),
                delay_days=delay_days,
                amount_divisor=amount_divisor,
                time_unit=time_unit.value,
                time_origin_ns=DAY_NS * parse_day("--time-origin", time_origin),
            )
        )
        first_day, last_day = (int(at) for at in loaded.event_time_ns[[0, -1]] // DAY_NS)
        plan = Plan(
            name=name,
            # By default the last whole week is the test, and the four weeks before the delay are learnt from.
            windows=Windows(
                train_from=last_day - 36 - delay_days if train_from is None else parse_day("--train-from", train_from),
                train_to=last_day - 8 - delay_days if train_to is None else parse_day("--train-to", train_to),
                test_from=last_day - 7 if test_from is None else parse_day("--test-from", test_from),
                test_to=last_day - 1 if test_to is None else parse_day("--test-to", test_to),
                delay_days=delay_days,
            ),
            models=tuple(MODEL_PLANS[name] for name in _models(model)),
            features=_features(features),
            currency=_currency(currency),
            normaliser=normaliser.value,
            half_life_days=half_life_days,
            review_share=review_share,
            seed=seed,
        )
        output.print(
            f"[bold]history[/] {len(loaded):,} transactions, {int(loaded.fraud.sum()):,} frauds,"
            f" {_EPOCH + timedelta(first_day)} to {_EPOCH + timedelta(last_day)}"
        )
        trained = train_history(loaded, plan, out)
    except (HistoryError, SplitError, ParityError, BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None
    show_trained(trained)


def _simulated_history(seed: int) -> "History":
    from training.simulator import simulate_transactions

    return simulate_transactions(SIMULATED_CUSTOMERS, SIMULATED_MERCHANTS, SIMULATED_DAYS, seed)


def parse_mapping(pairs: list[str]) -> dict[str, str]:
    """Return {field: column} of FIELD=COLUMN texts; exits with status 2 for another text.

    >>> parse_mapping(["customer_id=CARD"])
    {'customer_id': 'CARD'}
    """
    mapping = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (field and equals and column):
            raise fail(f"--map {pair}: is not FIELD=COLUMN; write, for example, --map customer_id=CARD")
        mapping[field] = column
    return mapping


def parse_day(option: str, given: str) -> int:
    """Return the number of a day, from 1970-01-01; exits with status 2 for a text that is no YYYY-MM-DD.

    >>> parse_day("--train-from", "1970-01-31")
    30
    """
    try:
        return (date.fromisoformat(given) - _EPOCH).days
    except ValueError:
        raise fail(f"{option} {given}: is no day; write YYYY-MM-DD") from None


def _currency(given: str) -> CurrencyCode:
    try:
        code: CurrencyCode = msgspec.convert(given, CurrencyCode)
    except msgspec.ValidationError:
        raise fail(f"--currency {given}: is no ISO 4217 code; write, for example, EUR") from None
    return code


def _models(given: str) -> tuple[Model, ...]:
    network = find_spec("tensorflow") is not None
    if given == "all":
        if not network:
            errors.print("the network is left out: it needs TensorFlow (pip install 'riskstream[network]')")
        return tuple(one for one in MODELS if network or one != "network")
    chosen = tuple(one for one in MODELS if one in given.split(","))
    unknown = sorted(set(given.split(",")) - set(MODELS))
    if unknown:
        raise fail(f"--model {unknown[0]}: is unknown; choose all or some of {', '.join(MODELS)}")
    if "network" in chosen and not network:
        raise fail("--model network: needs TensorFlow; pip install 'riskstream[network]'")
    return chosen


def _features(given: str) -> tuple[str, ...]:
    from risk.bundle import FEATURES
    from training.train import FEATURE_SETS

    if given in FEATURE_SETS:
        return FEATURE_SETS[given]
    chosen = tuple(given.split(","))
    for one in chosen:
        if one not in FEATURES or chosen.count(one) > 1:
            raise fail(f"--features {one}: is no feature, or there twice; choose from {', '.join(FEATURES)}")
    return chosen
