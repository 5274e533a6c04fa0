"""What smaller models cost: `python -m benchmarks.compression`.

Fits models to a simulated history, or one from a file, makes them smaller in the ways that are known, and scores the
test window by `risk.scorer`. Prints a table: bytes of the ONNX model, microseconds a row in batches of 1, 32 and 1,024
(the least of several rounds), AUC, average precision, how much of it is lost against the model as it is shipped, with
the 95 % interval of a bootstrap of customers, and whether a row's score has the same bits in every batch, without which
no model is served.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import RandomForestClassifier

from risk.bundle import normaliser_from
from risk.row_model import ModelError
from risk.scorer import Scorer
from training.bootstrap import bootstrap_intervals
from training.classifier import Classifier
from training.classifiers import FITS
from training.console import parse_mapping
from training.features import transaction_features
from training.history import DAY_NS, History, read_history
from training.measures import auc, average_precision, cuts
from training.normaliser_statistics import normaliser_statistics
from training.onnx_export import export_onnx
from training.simulator import simulate_transactions
from training.time_split import Windows, split

BATCHES = (1, 32, 1024)
DELAY_DAYS, TEST_DAYS = 7, 7
SEED = 0
note = Console(stderr=True).print

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Variant:
    """A model as shipped (`change` is empty) or made smaller, in ONNX."""

    model: str
    change: str
    onnx: bytes


@dataclass(frozen=True, slots=True)
class Test:
    """Normalised rows float64[n, F] of the test window, which are frauds, and the number of each row's customer."""

    rows: Floats
    fraud: Flags
    customer: npt.NDArray[np.int64]


def main() -> None:
    """Run the benchmark and print its table."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--history", type=Path, help="Parquet or CSV of transactions; simulated if not given")
    parse.add_argument("--map", action="append", default=[], help="FIELD=COLUMN of the file; repeat for each field")
    parse.add_argument("--train-days", type=int, default=28)
    parse.add_argument("--rounds", type=int, default=7)
    chosen = parse.parse_args()
    history = (
        simulate_transactions(customers=800, merchants=200, days=60, seed=5)
        if chosen.history is None
        else read_history(chosen.history, parse_mapping(chosen.map), delay_days=DELAY_DAYS)
    )
    rows, fraud, test = _rows(history, chosen.train_days)
    note(f"{len(rows):,} rows to train on, {int(fraud.sum()):,} frauds; {len(test.rows):,} to test on")
    table = Table(title=f"{int(test.fraud.sum())} frauds in {len(test.rows):,} transactions to test on")
    for heading in ("model", "bytes", *(f"us, {size}" for size in BATCHES), "AUC", "AP", "AP lost", "same bits"):
        table.add_column(heading, justify="left" if heading == "model" else "right", no_wrap=True)
    shipped: dict[str, Floats] = {}
    for variant in _variants(rows, fraud):
        score = Scorer(variant.onnx).score(test.rows)
        table.add_row(*_row(variant, score, shipped.setdefault(variant.model, score), test, chosen.rounds))
        note(f"{variant.model} {variant.change}: measured")
    Console(width=120).print(table)


def _rows(history: History, train_days: int) -> tuple[Floats, Flags, Test]:
    last = int(history.event_time_ns[-1] // DAY_NS)
    train_to = last - TEST_DAYS - DELAY_DAYS - 1
    windows = Windows(train_to - train_days + 1, train_to, last - TEST_DAYS, last - 1, DELAY_DAYS)
    parts = split(history, windows)
    features = transaction_features(history)
    statistics = normaliser_statistics(features[parts.train], "zscore", None)
    train, test = (
        normaliser_from(statistics).advance(features[at], history.event_time_ns[at]) for at in (parts.train, parts.test)
    )
    customer = np.unique([history.customer_id[at] for at in parts.test.tolist()], return_inverse=True)[1]
    return train, history.fraud[parts.train], Test(test, history.fraud[parts.test], customer.astype(np.int64))


def _variants(rows: Floats, fraud: Flags) -> Iterator[Variant]:
    """Yield each model as shipped and then what is made of it."""
    network = export_onnx(FITS["network"](rows, fraud, seed=SEED, members=1))
    yield Variant("network", "", network)
    yield Variant("network", "weights in float16", _half_weights(network))
    yield Variant("network", "dynamic int8", _dynamic_int8(network))
    for hidden in ((32, 16), (16, 8)):
        yield Variant(
            "network",
            f"hidden {hidden}",
            export_onnx(FITS["network"](rows, fraud, seed=SEED, hidden=hidden, members=1)),
        )
    # Boosting adds tree after tree: fitted with fewer, it has the first of more.
    for model in ("gradient_boosting", "lightgbm", "xgboost"):
        for trees in (100, 50, 25, 10):
            change = "" if trees == 100 else f"first {trees} trees"
            yield Variant(model, change, export_onnx(FITS[model](rows, fraud, seed=SEED, trees=trees)))
    forest = FITS["random_forest"](rows, fraud, seed=SEED)
    yield Variant("random_forest", "", export_onnx(forest))
    whole = forest.estimator.estimators_
    for trees in (50, 25, 10):
        forest.estimator.estimators_ = whole[:trees]
        yield Variant("random_forest", f"first {trees} trees", export_onnx(forest))
    for alpha in (1e-5, 1e-4):
        yield Variant("random_forest", f"ccp_alpha {alpha:g}", export_onnx(_pruned(rows, fraud, alpha)))
    for setting in ({"leaf_rows": 8}, {"leaf_rows": 32}, {"max_depth": 8}):
        text = ", ".join(f"{name} {value}" for name, value in setting.items())
        yield Variant("random_forest", text, export_onnx(FITS["random_forest"](rows, fraud, seed=SEED, **setting)))


def _pruned(rows: Floats, fraud: Flags, alpha: float) -> Classifier:
    """Return the forest as shipped, each tree pruned by its cost and complexity (Breiman et al. 1984, chapter 3)."""
    forest = RandomForestClassifier(
        n_estimators=100, min_samples_leaf=2, max_features=0.5, ccp_alpha=alpha, random_state=SEED, n_jobs=-1
    )
    return Classifier("random_forest", forest.fit(rows, fraud))


def _half_weights(model: bytes) -> bytes:
    """Return a model whose float32 constants are kept in float16, and cast to float32 before they are computed with."""
    loaded = onnx.load_from_string(model)
    casts = []
    for constant in loaded.graph.initializer:
        if constant.data_type == TensorProto.FLOAT:
            name = constant.name
            half = numpy_helper.to_array(constant).astype(np.float16)
            constant.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *loaded.graph.node]
    del loaded.graph.node[:]
    loaded.graph.node.extend(nodes)
    return bytes(loaded.SerializeToString())


def _dynamic_int8(model: bytes) -> bytes:
    """Return a model whose products are of int8 weights, and of inputs rounded to int8 by the range of their batch."""
    with tempfile.TemporaryDirectory(prefix="compression-") as folder:
        given, made = Path(folder, "given.onnx"), Path(folder, "made.onnx")
        given.write_bytes(model)
        quantize_dynamic(given, made, weight_type=QuantType.QInt8)
        return made.read_bytes()


def _row(variant: Variant, score: Floats, shipped: Floats, test: Test, rounds: int) -> list[str]:
    scorer = Scorer(variant.onnx)
    cut = cuts(score, test.fraud, np.ones(len(score)))
    lost = ""
    if variant.change:

        def loss(drawn: Floats) -> dict[str, float]:
            weight = drawn[test.customer]
            before, after = (average_precision(cuts(one, test.fraud, weight)) for one in (shipped, score))
            return {"lost": before - after}

        found = bootstrap_intervals(loss, int(test.customer.max()) + 1, seed=SEED)["lost"]
        lost = f"{found.estimate:+.4f} ({found.low:+.3f}, {found.high:+.3f})"
    try:
        scorer.check_batch_invariance(test.rows[:2048])
        same = "yes"
    except ModelError:
        same = "NO"
    return [
        f"[bold]{variant.model}[/]" if not variant.change else f"  {variant.change}",
        f"{len(variant.onnx):,}",
        *(f"{_least(scorer.score, test.rows, size, rounds):.2f}" for size in BATCHES),
        f"{auc(cut):.4f}",
        f"{average_precision(cut):.4f}",
        lost,
        same,
    ]


def _least(score: Callable[[Floats], Floats], rows: Floats, size: int, rounds: int) -> float:
    """Return microseconds a row."""
    parts = [rows[at : at + size] for at in range(0, min(len(rows) - size + 1, 128 * size), size)]
    score(parts[0])
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        for part in parts:
            score(part)
        spent.append((time.perf_counter() - began) / (len(parts) * size))
    return 1e6 * min(spent)


if __name__ == "__main__":
    main()
