"""Prequential folds: the test repeated back in time, each with its own training and its own delay.

One test window tells little of how a model will do next month. Le Borgne et al. (2022), chapter 5.3: the windows for
training, delay and test are moved back together, by the length of the test, and the model is fitted anew each time.
"""

from collections.abc import Callable
from datetime import date, timedelta

import msgspec
import numpy as np

from training.evaluation import evaluate
from training.history import DAY_NS, History
from training.refit import Refit
from training.time_split import SplitError, Windows, split

_EPOCH = date(1970, 1, 1)


class Fold(msgspec.Struct, frozen=True):
    """One fold: its days, the first and last of each window, and its figures on the test rows."""

    train_from: date
    train_to: date
    test_from: date
    test_to: date
    rows: int
    targets: int
    figures: dict[str, float]


class Prequential(msgspec.Struct, frozen=True):
    """The folds, the earliest first, and the mean and standard deviation of each figure over them."""

    folds: list[Fold]
    mean: dict[str, float]
    deviation: dict[str, float]


def prequential_windows(windows: Windows, folds: int) -> list[Windows]:
    """Return the windows of each fold, the earliest first; the last are those given.

    >>> [one.test_from for one in prequential_windows(Windows(0, 6, 14, 20, delay_days=7), 2)]
    [7, 14]
    """
    step = windows.test_to - windows.test_from + 1
    return [windows.back(back * step) for back in reversed(range(folds))]


def prequential(
    history: History, refit: Refit, windows: Windows, folds: int, on_fold: Callable[[], None] = lambda: None
) -> Prequential:
    """Return the figures of each of the `folds`, 1 or more.

    Raises SplitError where the history does not reach back so far, or a window has no transactions or frauds.
    """
    each = prequential_windows(windows, folds)
    first_day = int(history.event_time_ns[0] // DAY_NS)
    if each[0].train_from < first_day:
        possible = sum(one.train_from >= first_day for one in each)
        raise SplitError(
            f"--folds {folds}: the first would learn from {_day(each[0].train_from)}, and the history begins on"
            f" {_day(first_day)}; give {possible} at most"
        )
    done = []
    for one in each:
        parts = split(history, one)
        score = refit(parts.train)(parts.test)
        fraud = history.fraud[parts.test]
        figures = evaluate(score, fraud, history.customer_id.take(parts.test), history.event_time_ns[parts.test])
        days = (_day(one.train_from), _day(one.train_to), _day(one.test_from), _day(one.test_to))
        done.append(Fold(*days, len(parts.test), int(fraud.sum()), figures))
        on_fold()
    values = {name: [fold.figures[name] for fold in done] for name in done[0].figures}
    return Prequential(
        done,
        {name: float(np.mean(one)) for name, one in values.items()},
        {name: float(np.std(one, ddof=1)) if len(one) > 1 else 0.0 for name, one in values.items()},
    )


def _day(number: int) -> date:
    return _EPOCH + timedelta(number)
