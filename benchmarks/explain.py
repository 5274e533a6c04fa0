"""What it costs to explain an alert: `python -m benchmarks.explain`.

Fits models to a simulated history, bundles them, and explains rows of it that score highest, in batches of 1, 32 and
1,024. Prints JSON: microseconds a row, the least of several rounds. `contributions` is the explainer alone;
`explanation` is what a worker adds to an alert: the usual rows, their score, the contributions, and reasons in words.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from risk.bundle import Bundle
from risk.manifest import Model
from stream.bundle_files import read_bundle
from training.features import transaction_features
from training.history import DAY_NS, History
from training.recipe import MODEL_PLANS
from training.simulator import START_NS, simulate_transactions
from training.time_split import Windows
from training.train import Plan, train

MODELS: tuple[Model, ...] = (
    "logistic_regression",
    "network",
    "random_forest",
    "gradient_boosting",
    "lightgbm",
    "xgboost",
    "isolation_forest",
    "kernel_svm",
)
BATCHES = (1, 32, 1024)
note = Console(stderr=True).print


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    chosen = parse.parse_args()
    history = simulate_transactions(customers=800, merchants=200, days=60, seed=5)
    features = transaction_features(history)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="explain-") as folder:
        for model in chosen.models:
            figures[model] = _measure(_bundle(history, model, Path(folder)), features, chosen.rounds)
            note(f"{model}: {figures[model]}")
    json.dump({"unit": "microseconds a row", "models": figures}, sys.stdout, indent=2)
    print()


def _bundle(history: History, model: Model, root: Path) -> Bundle:
    first = START_NS // DAY_NS
    windows = Windows(first + 10, first + 39, first + 47, first + 58, delay_days=7)
    plan = Plan(name=model.replace("_", "-"), windows=windows, models=(MODEL_PLANS[model],))
    return read_bundle(train(history, plan, root=root, command="benchmarks.explain").folder)


def _measure(bundle: Bundle, features: npt.NDArray[np.float64], rounds: int) -> dict[str, dict[str, float]]:
    normalised = bundle.normaliser().advance(features, np.zeros(len(features), dtype=np.int64))
    score = bundle.scorer.score(normalised)
    # What scores highest is what is explained; trees cost the more, the more a row differs from the usual one.
    highest = np.argsort(-score, kind="stable")[: BATCHES[-1]]
    raw, normalised, score = features[highest], normalised[highest], score[highest]
    usual = bundle.usual_rows.of(raw)
    figures: dict[str, dict[str, float]] = {}
    for size in BATCHES:
        parts = [slice(at, at + size) for at in range(0, min(BATCHES[-1], 64 * size), size)]

        def contributions(at: slice) -> None:
            bundle.explainer.contributions(normalised[at], usual.normalised[at])

        def explanation(at: slice) -> None:
            bundle.reasons(raw[at], bundle.explain(raw[at], normalised[at], score[at]))

        figures[str(size)] = {
            "contributions": _least(contributions, parts, rounds, size),
            "explanation": _least(explanation, parts, rounds, size),
        }
    return figures


def _least(work: Callable[[slice], None], parts: list[slice], rounds: int, size: int) -> float:
    work(parts[0])
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        for part in parts:
            work(part)
        spent.append((time.perf_counter() - began) / (len(parts) * size))
    return round(1e6 * min(spent), 2)


if __name__ == "__main__":
    main()
