"""The report of an evaluation: one page of HTML that needs no other file."""

from collections.abc import Iterable, Sequence

from training.bootstrap import LEVEL
from training.drift import DECILES
from training.fairness import Group
from training.full_evaluation import Evaluation
from training.html_page import Html, figure, figures, page, paragraph, preformatted, table
from training.measure_names import MEASURES, bounded, shown
from training.measures import CALIBRATION_BINS
from training.prequential import Prequential
from training.report_plots import (
    FIGURES,
    plot_drift,
    plot_folds,
    plot_gains,
    plot_histogram,
    plot_importance,
    plot_learning_curve,
    plot_precision_recall,
    plot_reliability,
    plot_roc,
)
from training.unlabelled import RANKS

RARE = 0.05
"""A base rate below which targets are rare: then log axes show what matters."""
Section = tuple[str, Sequence[Html]]


def report_page(found: Evaluation) -> str:
    """Return the page, a function of the evaluation alone: equal evaluations give equal bytes."""
    subject = found.subject
    lead = (
        f"{subject.model}, version {subject.version}: {found.rows:,} test rows with {found.targets:,} targets"
        f" ({subject.positive})."
    )
    sections = [_summary(found), _ranking(found), _calibration(found)]
    if found.prequential is not None:
        sections.append(_folds(found.prequential))
    if found.learning_curve:
        sections.append(_learning(found))
    sections.append(_importance(found))
    sections.append(_drift(found))
    sections += [_fairness(name, groups) for name, groups in found.fairness.items()]
    sections += [_slices(found), _reproduce(found)]
    return page(f"Evaluation of {subject.name}", lead, sections)


def _summary(found: Evaluation) -> Section:
    told = paragraph(
        f"Learnt from {found.subject.trained_on}; tested on {found.subject.tested_on}. A target is a row that turned"
        f" out to be positive, here {found.subject.positive}. Bounds hold {LEVEL:.0%} of {found.replicates} bootstrap"
        f" replicates, each of which draws {found.rows if found.entities is None else found.entities:,}"
        f" {found.subject.drawn}."
    )
    rows = [[MEASURES[name].label, *shown(name, one), MEASURES[name].says] for name, one in found.measures.items()]
    return "Summary", [
        told,
        *_ranks(found),
        table(["measure", "value", "low", "high", "what it says"], rows),
        *_costs(found),
        paragraph(" ".join(found.subject.limits)),
    ]


def _ranks(found: Evaluation) -> list[Html]:
    return [paragraph(RANKS)] if found.subject.ranks else []


def _costs(found: Evaluation) -> list[Html]:
    review, decline = found.thresholds.review, found.thresholds.decline
    limits = f"Rows are reviewed from a score of {review:.4g} and declined from {decline:.4g}."
    if found.costs is None:
        return [paragraph(limits)]
    return [
        paragraph(
            f"{limits} Costs are in {found.subject.costs_in}: {found.costs.review:g} for a review,"
            f" {found.costs.declined_genuine:g} for a wrong decline, and {found.costs.missed_fraud_fraction:g} times"
            " its amount for a target that is approved."
        )
    ]


def _ranking(found: Evaluation) -> Section:
    base_rate = found.targets / found.rows
    return "Ranking", [
        figures(
            [
                figure(plot_roc(found.roc), "The dashed line is chance."),
                figure(
                    plot_precision_recall(found.precision_recall, base_rate),
                    f"The dashed line is chance: the base rate of {base_rate:.2%}.",
                ),
                figure(
                    plot_gains(found.gains, rare=base_rate < RARE),
                    "Targets found by looking at the highest scores first; dashed is chance.",
                ),
                figure(
                    plot_histogram(found.histogram, found.thresholds.review, found.thresholds.decline),
                    "Test rows in forty bins of score, on a log axis, with the thresholds of review and decline.",
                ),
            ]
        )
    ]


def _calibration(found: Evaluation) -> Section:
    rare = found.targets / found.rows < RARE
    axes, foot = (", on log axes", " A bin without targets lies at the foot.") if rare else ("", "")
    rows = [[f"{one.mean_score:.5f}", f"{one.base_rate:.5f}", f"{one.rows:,}"] for one in found.reliability]
    return "Calibration", [
        *_ranks(found),
        figures(
            [
                figure(
                    plot_reliability(found.reliability, rare=rare),
                    f"Up to {CALIBRATION_BINS} bins of equal counts{axes}. On the dashed line scores are"
                    f" probabilities; below it they are too high.{foot}",
                ),
                table(["mean score", "share of targets", "rows"], rows, caption="The bins, from the lowest scores up"),
            ]
        ),
    ]


def _folds(found: Prequential) -> Section:
    names = [name for name in FIGURES if name in found.mean]
    rows = [
        [
            f"{fold.test_from} to {fold.test_to}",
            f"{fold.train_from} to {fold.train_to}",
            f"{fold.rows:,}",
            f"{fold.targets:,}",
            *(f"{fold.figures[name]:.3f}" for name in names),
        ]
        for fold in found.folds
    ]
    rows.append(["mean", "-", "-", "-", *(f"{found.mean[name]:.3f}" for name in names)])
    rows.append(["standard deviation", "-", "-", "-", *(f"{found.deviation[name]:.3f}" for name in names)])
    return "Folds back in time", [
        paragraph(
            "The kind of model in the bundle, fitted anew for each fold: its windows of training, delay and test are"
            " those of the evaluation, moved back together by the length of the test."
        ),
        figures([figure(plot_folds(found), "The figures of each fold's test.")]),
        table(["test", "training", "rows", "targets", *(FIGURES[name] for name in names)], rows),
    ]


def _learning(found: Evaluation) -> Section:
    rows = [
        [f"last {one.fraction:g}", f"{one.rows:,}", f"{one.targets:,}", f"{one.train:.3f}", f"{one.test:.3f}"]
        for one in found.learning_curve
    ]
    return "Learning curve", [
        paragraph("The kind of model in the bundle, fitted anew to the last part of the training rows."),
        figures(
            [
                figure(
                    plot_learning_curve(found.learning_curve),
                    "While the test still rises, more rows to learn from help.",
                ),
                table(["part", "rows", "targets", "training", "test"], rows, caption="Average precision"),
            ]
        ),
    ]


def _importance(found: Evaluation) -> Section:
    rows = [[one.feature, f"{one.drop:.4f}", f"{one.deviation:.4f}"] for one in found.importance]
    return "Features", [
        paragraph(
            "How much average precision drops when one feature is shuffled over the test rows. Features that tell the"
            " same stand in for each other and seem to matter less than they do."
        ),
        figures(
            [
                figure(plot_importance(found.importance), "The foremost features; whiskers are standard deviations."),
                table(["feature", "drop", "deviation"], rows),
            ]
        ),
    ]


def _drift(found: Evaluation) -> Section:
    every = [found.score_drift, *found.drift]
    rows = [
        [one.feature, f"{one.psi:.4f}", f"{one.by_chance:.4f}", f"{one.train_missing:.2%}", f"{one.test_missing:.2%}"]
        for one in every
    ]
    shares = f"{found.train_targets / found.train_rows:.3%} in training, {found.targets / found.rows:.3%} in the test"
    return "Drift", [
        paragraph(
            f"The population stability index over the training rows' {DECILES} deciles, or categories: below 0.1 is"
            " little, above 0.25 much. By chance it exceeds the third column in one of 20 samples of independent rows."
            f" Targets are {shares}."
        ),
        figures(
            [
                figure(plot_drift(found.drift), "The features that moved most; the dashed lines are 0.1 and 0.25."),
                table(["feature", "index", "by chance", "missing, training", "missing, test"], rows),
            ]
        ),
    ]


def _fairness(name: str, groups: Iterable[Group]) -> Section:
    measures = ("true_positive_rate", "false_positive_rate", "base_rate", "calibration_gap", "auc")
    rows = [
        [
            one.group,
            f"{one.rows:,}",
            f"{one.targets:,}",
            *(bounded(measure, one.measures) for measure in ("flagged_rate", "flagged_ratio")),
            "unlike" if one.unlike() else "",
            *(bounded(measure, one.measures) for measure in measures),
        ]
        for one in groups
    ]
    headings = ("group", "rows", "targets", "Flagged", "Flagged ratio", "four fifths")
    return f"Fairness by {name}", [
        paragraph(
            "A row is flagged from the threshold of review on. The ratio compares a group's flagged rate with that of"
            " the largest group, which is first; it is called unlike when all of its interval lies outside 0.8 to 1.25,"
            " the four-fifths rule. Groups of fewer than 50 rows are pooled as other."
        ),
        table([*headings, *(MEASURES[one].label for one in measures)], rows),
    ]


def _slices(found: Evaluation) -> Section:
    told = paragraph(
        "Slices of one or two features in which the log loss exceeds that of all rows by more than chance explains"
        " (false discoveries held at 5%). It is greater where targets are many, so the loss that the scores"
        " expect of themselves stands beside it: where the two are alike the model is unsure and knows it; where the"
        " loss is greater than expected, it is wrong."
    )
    if not found.slices:
        return "Where it fails", [told, paragraph("None was found.")]
    rows = [
        [
            one.where,
            f"{one.rows:,}",
            f"{one.targets:,}",
            f"{one.base_rate:.4f}",
            f"{one.mean_score:.4f}",
            f"{one.log_loss:.4f}",
            f"{one.expected_loss:.4f}",
            f"{one.lift:.4f}",
            f"{one.q:.1e}",
        ]
        for one in found.slices
    ]
    headings = ["slice", "rows", "targets", "share of targets", "mean score", "log loss", "expected", "lift", "q"]
    return "Where it fails", [told, table(headings, rows)]


def _reproduce(found: Evaluation) -> Section:
    libraries = [[name, version] for name, version in sorted(found.subject.library_versions.items())]
    return "How to reproduce", [
        paragraph("The bundle was made by"),
        preformatted(found.subject.train_command),
        paragraph(f"and evaluated, with seed {found.seed}, by"),
        preformatted(found.subject.evaluate_command),
        table(["library", "version in training"], libraries),
    ]
