"""The model card: what a model is, what it is for, how good it is and for whom, on a page of Markdown.

Its sections are those of Mitchell et al. (2019), "Model cards for model reporting".
"""

import re
from collections.abc import Iterable, Sequence

from training.full_evaluation import Evaluation
from training.measure_names import MEASURES, bounded, shown
from training.unlabelled import RANKS

_SPECIAL = re.compile(r"(^[#+-]|[\\`*_\[\]|~$])")


def model_card(found: Evaluation) -> str:
    """Return the card, a function of the evaluation alone; names from data cannot become markup."""
    subject = found.subject
    features = ", ".join(subject.features)
    lines = [
        f"# Model card: {plain(subject.name)}",
        "",
        "## Model details",
        "",
        f"- Model: {plain(subject.model)}, version {plain(subject.version)}",
        f"- Form: {plain(subject.form)}",
        f"- Features ({len(subject.features)}): {plain(features)}",
        f"- Reviewed from a score of {found.thresholds.review:.4g}, declined from {found.thresholds.decline:.4g}",
        "",
        "## Intended use",
        "",
        f"The score ranks rows by how likely they are to be positive ({plain(subject.positive)}), so that people can"
        " review the foremost and the surest can be declined. It is not meant as the only ground of a decision on a"
        " person, nor for data of another population or time than those below.",
        "",
        *((RANKS, "") if subject.ranks else ()),
        "## Data",
        "",
        f"- Training: {plain(subject.trained_on)}; {found.train_rows:,} rows, {found.train_targets:,} targets",
        f"- Evaluation: {plain(subject.tested_on)}; {found.rows:,} rows, {found.targets:,} targets",
        f"- Drift of the score from training to test: population stability index {found.score_drift.psi:.3f}",
        *(
            f"- Drift of {plain(one.feature)}: {one.psi:.3f}"
            for one in found.drift[:5]
            if one.psi > max(0.1, one.by_chance)
        ),
        "",
        "## Metrics",
        "",
        f"Intervals hold 95% of {found.replicates} bootstrap replicates that draw {plain(subject.drawn)}.",
        "",
        *_table(
            ["measure", "value", "low", "high"],
            ([MEASURES[name].label, *shown(name, one)] for name, one in found.measures.items()),
        ),
        *_folds(found),
        "",
        "## Fairness",
        "",
        *_fairness(found),
        "",
        "## Limits",
        "",
        *_limits(found),
        "",
        "## How to reproduce",
        "",
        *_code(subject.train_command),
        *_code(subject.evaluate_command),
        f"Seed {found.seed}; "
        + ", ".join(f"{plain(name)} {plain(version)}" for name, version in sorted(subject.library_versions.items()))
        + ".",
        "",
    ]
    return "\n".join(lines)


def plain(text: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line.

    >>> plain("a|<b>*")
    'a\\|&lt;b&gt;\\*'
    """
    one_line = " ".join(text.split())
    escaped = _SPECIAL.sub(r"\\\1", one_line)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    body = ["| " + " | ".join(plain(cell) for cell in row) + " |" for row in rows]
    return ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings), *body]


def _code(command: str) -> list[str]:
    # Longer than any run of backticks within, so that none closes the block.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", command)), default=0))
    return [fence + "sh", command, fence, ""]


def _folds(found: Evaluation) -> list[str]:
    if found.prequential is None:
        return []
    told = ", ".join(
        f"{MEASURES[name].label} {mean:.3f} ± {found.prequential.deviation[name]:.3f}"
        for name, mean in found.prequential.mean.items()
    )
    return ["", f"Over {len(found.prequential.folds)} folds back in time, mean ± standard deviation: {told}."]


def _fairness(found: Evaluation) -> list[str]:
    if not found.fairness:
        return ["No column was named by which to compare groups: nothing is known of fairness."]
    lines = []
    for name, groups in found.fairness.items():
        lines += [f"By {plain(name)}; the ratio is to the largest group, the first.", ""]
        measures = ("flagged_rate", "flagged_ratio", "true_positive_rate", "false_positive_rate", "auc")
        lines += _table(
            ["group", "rows", *(MEASURES[one].label for one in measures)],
            ([one.group, f"{one.rows:,}", *(bounded(measure, one.measures) for measure in measures)] for one in groups),
        )
        unlike = [one.group for one in groups if one.unlike()]
        if unlike:
            lines += ["", f"Outside the four-fifths rule: {plain(', '.join(unlike))}."]
        lines.append("")
    return lines[:-1]


def _limits(found: Evaluation) -> list[str]:
    lines = [f"- {plain(one)}" for one in found.subject.limits]
    if found.slices:
        lines.append("- Slices whose log loss is well above the whole, with the loss that their scores expect:")
        lines += [
            f"  - {plain(one.where)}: {one.rows:,} rows, {one.log_loss:.4f}, expected {one.expected_loss:.4f}"
            for one in found.slices[:5]
        ]
    return lines
