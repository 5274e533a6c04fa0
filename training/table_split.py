"""Sets rows of a table apart to test on, at random or by time, once or in folds."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

Rows = npt.NDArray[np.int64]


def table_split(
    target: npt.NDArray[np.bool_], order: npt.NDArray[np.float64] | None, *, test_share: float, seed: int
) -> tuple[Rows, Rows]:
    """Return the numbers of the rows to train on and of those to test on, int64 each.

    With `order` float64[n], such as times, the last rows by it are the test and both come in that order, ties in that
    of the file. Without, the same share of both classes is drawn, and the rows come shuffled: what holds out the last
    ones must not hold out the last lines of a sorted file. Raises ValueError unless both parts have both classes.

    >>> train, test = table_split(np.arange(10) % 2 == 0, np.arange(10.0), test_share=0.3, seed=0)
    >>> test.tolist()
    [7, 8, 9]
    """
    if order is not None:
        rows = np.argsort(order, kind="stable")
        first = len(rows) - round(test_share * len(rows))
        train, test = rows[:first], rows[first:]
    else:
        random = np.random.default_rng(seed)
        drawn = [random.permutation(np.flatnonzero(target == one)) for one in (True, False)]
        tests = [rows[: round(test_share * len(rows))] for rows in drawn]
        trains = [rows[len(part) :] for rows, part in zip(drawn, tests, strict=True)]
        train, test = (random.permutation(np.concatenate(parts)) for parts in (trains, tests))
    for name, part in (("train", train), ("test", test)):
        events = int(target[part].sum())
        if not 0 < events < len(part):
            raise ValueError(
                f"the {name} part has {events} events in {len(part)} rows, and both classes are needed: change"
                " split.test_share, or give more rows"
            )
    return train, test


def folds(
    target: npt.NDArray[np.bool_], order: npt.NDArray[np.float64] | None, *, count: int, seed: int
) -> Iterator[tuple[Rows, Rows]]:
    """Yield for each of `count` folds the rows to train and to test on, in the manner of `table_split`.

    By `order`, each fold is tested on a part that follows all it trains on.
    """
    if order is not None:
        rows = np.argsort(order, kind="stable")
        for train, test in TimeSeriesSplit(n_splits=count).split(rows):
            yield rows[train], rows[test]
        return
    random = np.random.default_rng(seed)
    for train, test in StratifiedKFold(count, shuffle=True, random_state=seed).split(target, target):
        yield random.permutation(train), test
