"""Fits a recipe to rows: the steps one after the other, then the model, then its calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from risk.manifest import Model
from risk.table_columns import TableColumn
from training import recipe as plans
from training.calibration import Calibration, fit_calibration
from training.class_weights import balanced_weights
from training.classifier import Classifier
from training.classifiers import FITS
from training.onnx_export import export_onnx
from training.recipe import Fitting, ModelPlan, StepPlan
from training.steps.bound import Bound
from training.steps.impute import fit_impute
from training.steps.one_hot import fit_one_hot
from training.steps.ordinal import fit_ordinal
from training.steps.outliers import DEFAULT_FACTOR, fit_winsorise, ordinary_rows
from training.steps.polynomial import fit_polynomial
from training.steps.project import fit_project
from training.steps.ratio import fit_ratio
from training.steps.scale import fit_scale
from training.steps.step import Step, StepError, places, run_step, run_steps
from training.steps.weight_of_evidence import fit_weight_of_evidence
from training.table_data import TableData


@dataclass(frozen=True, slots=True)
class FittedTable:
    """What was fitted: steps, classifier, calibration; `required` are the columns in which nothing may be missing."""

    columns: tuple[TableColumn, ...]
    steps: tuple[Step, ...]
    classifier: Classifier
    calibration: Calibration | None
    required: tuple[bool, ...]
    notes: tuple[str, ...]

    def probability(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of encoded rows float64[n, C], the classifier by its own library."""
        score = self.classifier.probability(run_steps(self.steps, matrix))
        return score if self.calibration is None else self.calibration.apply(score)

    def export(self) -> bytes:
        """Return the one graph of it all."""
        return export_onnx(self.classifier, steps=self.steps, width=len(self.columns), calibration=self.calibration)


def model_name(model: ModelPlan) -> Model:
    """Return the name of a model's plan."""
    name: Model = msgspec.convert(model.__struct_config__.tag, Model)
    return name


def fit_table(
    data: TableData,
    steps: Sequence[StepPlan],
    model: ModelPlan,
    fitting: Fitting,
    *,
    seed: int,
    bounded: bool = False,
) -> FittedTable:
    """Return the recipe fitted to rows; the last rows are kept for the calibration, if there is one.

    Numbers are cut off at `training.steps.bound.BOUND`, and again after the last step; not if they come `bounded` and
    nothing but the model is fitted to them.
    Raises StepError, its message beginning with the step's number from 1, for a step that does not fit its columns,
    and ValueError for rows that the model cannot be fitted to.
    """
    fit_rows, calibration_rows = _parts(len(data.target), fitting)
    prepared, columns, matrix, target, notes = _fit_steps(
        data.where(fit_rows), steps, bounded=bounded and not steps and fitting.calibrate is None
    )
    gaps = np.flatnonzero(np.isnan(matrix).any(axis=0))
    if len(gaps):
        raise StepError(f"column {columns[gaps[0]].name!r}: has missing values after the last step; impute them")
    left = [column.name for column in columns if column.categories is not None]
    if left:
        raise StepError(f"column {left[0]!r}: still holds categories after the last step; encode them")
    settings = msgspec.structs.asdict(model)
    if fitting.balance:
        settings["weights"] = balanced_weights(target)
    classifier = FITS[model_name(model)](matrix, target, seed=seed, **settings)
    calibration = None
    if fitting.calibrate is not None:
        held = data.where(calibration_rows)
        score = classifier.probability(run_steps(prepared, held.matrix))
        calibration = fit_calibration(score, held.target, by=fitting.calibrate)
    return FittedTable(
        data.columns, prepared, classifier, calibration, _required(data.matrix[:1], prepared), tuple(notes)
    )


def _parts(rows: int, fitting: Fitting) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    held = 0 if fitting.calibrate is None else int(fitting.calibration_share * rows)
    return np.arange(rows - held), np.arange(rows - held, rows)


def _fit_steps(
    data: TableData, steps: Sequence[StepPlan], *, bounded: bool
) -> tuple[tuple[Step, ...], tuple[TableColumn, ...], npt.NDArray[np.float64], npt.NDArray[np.bool_], list[str]]:
    """Return the steps fitted, what they make of the rows, and the target of the rows that are left."""
    columns, target, notes = data.columns, data.target, []
    fitted: list[Step] = [] if bounded else [Bound(columns)]
    matrix = data.matrix if bounded else run_step(fitted[0], data.matrix)
    for number, plan in enumerate(steps, 1):
        try:
            if isinstance(plan, plans.RemoveOutliers):
                factor = plan.factor or DEFAULT_FACTOR[plan.by]
                kept = ordinary_rows(columns, matrix, _chosen(columns, plan.columns), by=plan.by, factor=factor)
                notes.append(f"step {number}: {int((~kept).sum()):,} rows with outliers were left out of training")
                matrix, target = matrix[kept], target[kept]
                continue
            step = _fit_step(plan, columns, matrix, target)
        except StepError as error:
            raise StepError(f"step {number}: {error}") from None
        fitted.append(step)
        matrix, columns = run_step(step, matrix), step.columns
    if steps:
        fitted.append(Bound(columns))
        matrix = run_step(fitted[-1], matrix)
    return tuple(fitted), columns, matrix, target, notes


def _fit_step(
    plan: StepPlan,
    columns: tuple[TableColumn, ...],
    matrix: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
) -> Step:
    match plan:
        case plans.Impute(by=by, value=value, indicator=indicator):
            chosen = _chosen(columns, plan.columns)
            return fit_impute(
                columns, matrix, chosen, by=by, value=_filling(columns, chosen, value), indicator=indicator
            )
        case plans.Winsorise(by=by, factor=factor):
            chosen = _chosen(columns, plan.columns)
            return fit_winsorise(columns, matrix, chosen, by=by, factor=factor or DEFAULT_FACTOR[by])
        case plans.Scale(by=by):
            return fit_scale(columns, matrix, _chosen(columns, plan.columns), by=by)
        case plans.OneHot(drop_first=drop_first):
            return fit_one_hot(columns, matrix, _chosen(columns, plan.columns), drop_first=drop_first)
        case plans.Ordinal(column=column, order=order):
            return fit_ordinal(columns, places(columns, [column])[0], order=order)
        case plans.WeightOfEvidence(min_share=min_share, monotone=monotone):
            chosen = _chosen(columns, plan.columns)
            return fit_weight_of_evidence(columns, matrix, target, chosen, min_share=min_share, monotone=monotone)
        case plans.Polynomial(degree=degree, interactions_only=interactions_only):
            chosen = _chosen(columns, plan.columns)
            return fit_polynomial(columns, chosen, degree=degree, interactions_only=interactions_only)
        case plans.Ratio(by=by):
            return fit_ratio(columns, _chosen(columns, plan.columns), places(columns, [by])[0])
        case plans.Project(by=by, components=components):
            chosen = _chosen(columns, plan.columns)
            return fit_project(columns, matrix, target, chosen, by=by, components=components)
        case plans.RemoveOutliers():
            raise AssertionError("removal is no step of the graph")


def _chosen(columns: Sequence[TableColumn], selection: plans.Selection) -> list[int]:
    """Return the places of the columns that a step is for; raises StepError where there are none."""
    if not isinstance(selection, str):
        return places(columns, selection)
    wanted = {"all": (True, True), "numbers": (True, False), "categories": (False, True)}
    if selection not in wanted:
        return places(columns, [selection])
    numbers, categories = wanted[selection]
    chosen = [at for at, one in enumerate(columns) if (numbers if one.categories is None else categories)]
    if not chosen:
        raise StepError(f"columns = {selection!r}: there are none; leave the step out")
    return chosen


def _filling(columns: Sequence[TableColumn], chosen: Sequence[int], value: float | str | None) -> float | None:
    """Return the number to fill in: that of a category where the value is a text."""
    if not isinstance(value, str):
        return value
    codes = set()
    for place in chosen:
        known = columns[place].categories or ()
        if value not in known:
            raise StepError(f"value = {value!r}: is no category of column {columns[place].name!r}; choose one of it")
        codes.add(float(known.index(value)))
    if len(codes) > 1:
        raise StepError(f"value = {value!r}: has another place in each column; give a step to each column")
    return codes.pop()


def _required(row: npt.NDArray[np.float64], steps: Sequence[Step]) -> tuple[bool, ...]:
    """Return for each column whether a missing value in it would reach the model."""
    width = row.shape[1]
    whole = np.where(np.isnan(row), 0.0, row)
    probes = np.tile(whole, (width, 1))
    np.fill_diagonal(probes, np.nan)
    missing = np.asarray(np.isnan(run_steps(steps, probes)).any(axis=1))
    return tuple(missing.tolist())
