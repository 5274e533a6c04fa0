"""Small but whole bundles of a table, for tests: loans made up here, with and without a scorecard."""

from pathlib import Path

import numpy as np

from schemas.application import Application
from schemas.encoding import encode
from training.recipe import (
    Data,
    Decision,
    GradientBoosting,
    Impute,
    LogisticRegression,
    Loss,
    OneHot,
    Recipe,
    Scorecard,
    WeightOfEvidence,
)
from training.table import Table
from training.table_train import train_table

ROWS = 600
START_NS = 1_767_225_600_000_000_000
# A review dear enough that all three outcomes occur.
DECISION = Decision(review=0.12, declined_good=0.3)


def small_loans(rows: int = ROWS, seed: int = 7) -> Table:
    """Return applicants and what became of them; equal on every call."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows).astype(np.float64)
    income = np.round(random.lognormal(7.5, 0.5, rows), 2)
    amount = np.round(random.lognormal(8.0, 0.7, rows), 2)
    home = random.choice(["own", "rent", "free"], rows, p=[0.5, 0.4, 0.1])
    margin = amount / income - 2.5 - (age - 40.0) / 30.0 + np.where(home == "rent", 0.8, 0.0)
    default = (random.random(rows) < 1.0 / (1.0 + np.exp(-margin))).astype(np.float64)
    income[random.random(rows) < 0.1] = np.nan
    homes: list[str | None] = [
        None if gap else str(one) for one, gap in zip(home, random.random(rows) < 0.05, strict=True)
    ]
    return Table({"age": age, "income": income, "home": homes, "amount": amount, "default": default}, rows)


def write_small_table_bundle(root: Path, *, scorecard: bool) -> Path:
    """Write a bundle under `root` and return its folder: a scorecard, or boosted trees that need an age."""
    data = Data("loans.csv", "default", ranges={"age": (18.0, 100.0)})
    loss = Loss("amount", 0.5)
    if scorecard:
        recipe = Recipe(
            name="loans",
            data=data,
            model=(LogisticRegression(),),
            step=(WeightOfEvidence("all"),),
            decision=DECISION,
            scorecard=Scorecard(),
            loss=loss,
        )
    else:
        recipe = Recipe(
            name="loans-by-trees",
            data=data,
            model=(GradientBoosting(trees=20),),
            step=(Impute(("income",), "median"), OneHot(("home",))),
            decision=DECISION,
            loss=loss,
        )
    return train_table(recipe, small_loans(), root=root, command="riskstream train loans.toml").folder


def application_messages(count: int, seed: int = 8) -> list[tuple[str, bytes]]:
    """Return (applicant, JSON) of applications of which some fields are not known, one applicant with several."""
    loans = small_loans(count, seed)
    messages = []
    for at in range(count):
        fields = {
            name: values[at] if isinstance(values, list) else None if np.isnan(values[at]) else float(values[at])
            for name, values in loans.columns.items()
            if name != "default"
        }
        applicant = f"p{at % 97}"
        messages.append((applicant, encode(Application(1, f"a{at:05d}", applicant, START_NS + at, fields))))
    return messages
