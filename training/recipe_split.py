"""The rows of a recipe's table, told apart: those to train on, and those to test on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.recipe import Recipe
from training.table import Table
from training.table_data import DataError, TableData, table_data
from training.table_split import table_split


@dataclass(frozen=True, slots=True)
class RecipeSplit:
    """A table's rows, the order of time that they have, float64[n], if any, and the numbers of both parts, int64[n].

    The numbers are places among the rows of `data`, as is the order.
    """

    data: TableData
    order: npt.NDArray[np.float64] | None
    train: npt.NDArray[np.int64]
    test: npt.NDArray[np.int64]


def recipe_split(recipe: Recipe, table: Table) -> RecipeSplit:
    """Return the split that the recipe makes of its table, equal on every call.

    Raises DataError for a table that the recipe does not fit, and ValueError for a part without both classes.
    """
    data = table_data(table, recipe.data)
    order = _order(table, recipe)
    if order is not None and len(order) != len(data.target):
        raise DataError("split.by = 'time': keep all rows, so that they can be ordered; leave out data.duplicates")
    train, test = table_split(data.target, order, test_share=recipe.split.test_share, seed=recipe.seed)
    return RecipeSplit(data, order, train, test)


def _order(table: Table, recipe: Recipe) -> npt.NDArray[np.float64] | None:
    name = recipe.split.column
    if name is None:
        return None
    values = table.columns.get(name)
    if not isinstance(values, np.ndarray) or np.isnan(values).any():
        raise DataError(f"split.column = {name!r}: must be a column of times or numbers without gaps")
    return values
