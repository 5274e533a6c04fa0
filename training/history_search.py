"""Searches the hyper-parameters of models of transactions, on windows that end before what is trained on ends.

Each fold has the windows of the plan, moved back in time: what it validates on was known, after the delay, when the
test begins (Le Borgne et al. 2022, chapter 5.3). The test has no part in it.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from risk.bundle import normaliser_from
from risk.table_columns import TableColumn
from training.history import DAY_NS, History
from training.normaliser_statistics import normaliser_statistics
from training.plan_search import Searched, SearchError, SearchProgress, search_plans
from training.recipe import Fitting, ModelPlan, Search, StepPlan
from training.search_journal import Journal
from training.table_data import TableData
from training.table_fit import fit_table
from training.table_measures import table_measures
from training.table_search import last_rows
from training.time_split import SplitError, Windows, split


def search_windows(windows: Windows, folds: int) -> list[Windows]:
    """Return the windows of each fold, the latest first: tested on no day after the last that is trained on.

    >>> [(one.train_from, one.test_to) for one in search_windows(Windows(30, 36, 44, 50, delay_days=7), 2)]
    [(16, 36), (9, 29)]
    """
    first, step = windows.test_to - windows.train_to, windows.test_to - windows.test_from + 1
    return [windows.back(back) for back in range(first, first + folds * step, step)]


def search_history(
    history: History,
    features: npt.NDArray[np.float64],
    names: tuple[str, ...],
    windows: Windows,
    models: tuple[ModelPlan, ...],
    steps: tuple[StepPlan, ...],
    fitting: Fitting,
    search: Search,
    journal: Journal,
    *,
    seed: int,
    before: Callable[[float], bool] = lambda share: True,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Searched:
    """Return the best plan that was found of each model, for features float64[n, F] of the names given.

    In each fold features are put on the z-scores of the rows fitted to. `before` and `on_progress` are those of
    `training.plan_search.search_plans`. Raises SearchError where the history does not reach back so far, or a window
    has no transactions or frauds, StepError for a step that does not fit, and OSError.
    """
    parts = [
        _parts(history, one, number, search) for number, one in enumerate(search_windows(windows, search.folds), 1)
    ]
    columns = tuple(TableColumn(name) for name in names)

    def evaluated(plan: ModelPlan, share: Fraction) -> tuple[float, ...]:
        return tuple(_evaluated(plan, share, fit, validation) for fit, validation in parts)

    def _evaluated(
        plan: ModelPlan, share: Fraction, fit: npt.NDArray[np.int64], validation: npt.NDArray[np.int64]
    ) -> float:
        rows = last_rows(fit, share)
        statistics = normaliser_statistics(features[rows], "zscore", None)
        normalised = normaliser_from(statistics).advance(features[rows], history.event_time_ns[rows])
        learnt = TableData(columns, normalised, history.fraud[rows], history.amount[rows], rows, ())
        fitted = fit_table(learnt, steps, plan, fitting, seed=seed, bounded=True)
        later = normaliser_from(statistics).advance(features[validation], history.event_time_ns[validation])
        score = fitted.probability(later)
        return table_measures(score, history.fraud[validation], np.ones(len(validation)))[search.measure]

    return search_plans(models, search, evaluated, journal, seed=seed, before=before, on_progress=on_progress)


def _parts(
    history: History, windows: Windows, number: int, search: Search
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if windows.train_from < int(history.event_time_ns[0] // DAY_NS):
        raise SearchError(
            "folds", f"{search.folds} reach back before the history begins, from fold {number} on; give fewer"
        )
    try:
        found = split(history, windows)
    except SplitError as error:
        raise SearchError("folds", f"fold {number} of {search.folds} cannot be used ({error}); give fewer") from None
    return found.train, found.test
