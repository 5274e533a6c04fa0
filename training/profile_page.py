"""The profile of a table as one page of HTML."""

from collections.abc import Sequence
from datetime import UTC, datetime

from training.data_profile import STRONG_CORRELATION, ColumnProfile, DataProfile
from training.html_page import Html, figure, figures, page, paragraph, table
from training.number_figures import QUANTILES, Histogram
from training.sparkline_histogram import sparkline_histogram
from training.target_rates import RateBin

_LONGEST = 60


def profile_page(found: DataProfile, source: str) -> str:
    """Return the document that shows a profile; `source` names the file that it is of.

    >>> import numpy as np
    >>> from training.data_profile import profile
    >>> from training.table import Table
    >>> "<h1>Profile of &lt;b&gt;.csv</h1>" in profile_page(profile(Table({"x": np.ones(2)}, 2)), "<b>.csv")
    True
    """
    sections: list[tuple[str, Sequence[Html]]] = [
        ("Table", _overview(found)),
        ("To look at", _warnings(found)),
        ("Columns", [_columns(found.columns)]),
        ("Distributions", [figures([_distribution(one, found) for one in found.columns])]),
    ]
    if any(one.numbers is not None for one in found.columns):
        sections.append(("Numbers", _numbers(found.columns)))
    if any(one.rates for one in found.columns):
        sections.append(("Target rate", _rates(found)))
    return page(f"Profile of {source}", f"{found.rows:,} rows of {len(found.columns):,} columns.", sections)


def shown_number(value: float | None) -> str:
    """Return a number in few digits, a dash for none.

    >>> [shown_number(value) for value in (1234567.0, 1234.5, 0.0123456, 1e15, None)]
    ['1,234,567', '1,234', '0.01235', '1e+15', '-']
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e12 else f"{value:.4g}"


def shown_share(share: float) -> str:
    """Return a share in percent; neither a few nor all but a few look like none or all.

    >>> [shown_share(share) for share in (0.0, 0.00001, 0.1234, 1.0)]
    ['0%', '<0.1%', '12.3%', '100%']
    """
    if 0.0 < share < 0.001:
        return "<0.1%"
    if 0.999 < share < 1.0:
        return ">99.9%"
    return f"{share:.1%}".replace(".0%", "%")


def outlier_share(column: ColumnProfile) -> str:
    """Return the share of a column's finite values beyond the fences, a dash where there are none."""
    if column.numbers is None:
        return "-"
    return shown_share(column.numbers.fence_outliers / (column.rows - column.missing - column.numbers.infinite))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _overview(found: DataProfile) -> list[Html]:
    rows = [
        ["rows", f"{found.rows:,}"],
        ["columns", f"{len(found.columns):,}"],
        ["missing cells", shown_share(sum(one.missing for one in found.columns) / found.rows / len(found.columns))],
        ["rows that repeat an earlier one", f"{found.duplicates:,} ({shown_share(found.duplicates / found.rows)})"],
    ]
    if found.target is not None:
        target = found.target
        rows += [
            ["target", f"{target.name} = {_short(target.positive)}"],
            ["target rate", f"{target.rate:.4g} ({target.low:.4g} to {target.high:.4g})"],
            ["events", f"{target.events:,} of {target.rows:,} rows"],
            ["rows without a target", f"{target.missing:,}"],
        ]
    parts = [table(["of the table", ""], rows)]
    if found.duplicate_examples:
        examples = ", ".join(f"{one.row} (as {one.repeats})" for one in found.duplicate_examples)
        parts.append(paragraph(f"Rows that repeat an earlier one, counted from 0, the first: {examples}."))
    return parts


def _warnings(found: DataProfile) -> list[Html]:
    parts = []
    if found.target is None:
        parts.append(paragraph("Without a target nothing can be said of leakage."))
    elif not found.suspects:
        parts.append(paragraph("No column is suspected of leaking the target."))
    else:
        suspects = [[one.column, "; ".join(one.reasons)] for one in found.suspects]
        caption = "Suspected of leakage: was this known before the event?"
        parts.append(table(["column", "why"], suspects, caption=caption))
    findings = [[one.name, each.check, each.message] for one in found.columns for each in one.findings]
    if findings:
        parts.append(table(["column", "check", "found"], findings, caption="Types and ranges, rows counted from 0"))
    if found.correlated:
        pairs = [[one.first, one.second, f"{one.spearman:.3f}"] for one in found.correlated]
        caption = f"Columns that go together: |Spearman's correlation| above {STRONG_CORRELATION:g}"
        parts.append(table(["column", "goes with", "correlation"], pairs, caption=caption))
    return parts


def _columns(columns: Sequence[ColumnProfile]) -> Html:
    headings = ["column", "kind", "missing", "distinct", "typical", "outliers", "AUC", "IV", "AUC of missing"]
    rows = [
        [
            one.name,
            one.kind,
            shown_share(one.missing_share),
            f"{one.distinct:,}",
            typical(one),
            outlier_share(one),
            *("-" if value is None else f"{value:.3f}" for value in (one.auc, one.information_value)),
            "-" if one.missing_auc is None or not one.missing else f"{one.missing_auc:.3f}",
        ]
        for one in columns
    ]
    return table(
        headings,
        rows,
        caption="Typical: least / median / greatest value, or the most frequent. Outliers: beyond the quartiles by 1.5"
        " times their distance. AUC: of the column alone, missing values ranking least. IV: information value of the"
        " bins below.",
    )


def typical(column: ColumnProfile) -> str:
    """Return the least, the middle and the greatest number of a column, or its most frequent text."""
    if column.numbers is not None:
        of = column.numbers
        return " / ".join(_shown_value(column, one) for one in (of.min, of.quantiles[QUANTILES.index(0.5)], of.max))
    if column.categories:
        return f"{_short(column.categories[0].value)} ({shown_share(column.categories[0].rows / column.rows)})"
    return "-"


def _shown_value(column: ColumnProfile, value: float) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}" if column.kind == "time" else shown_number(value)


def _distribution(column: ColumnProfile, found: DataProfile) -> Html:
    rates = [one for one in column.rates if one.holds != "missing"]
    shape = None if column.numbers is None else column.numbers.histogram
    if column.categories or shape is None:
        names = [_short(one.value) for one in column.categories]
        about = f"{column.distinct:,} distinct"
        if names:
            about = ", ".join(names[:3]) if shape is None else f"{names[0]} to {names[-1]}"
        counts: Sequence[int] = [one.rows for one in column.categories]
        others = column.rows - column.missing - sum(counts)
        if counts and others:
            counts = [*counts, others]
        places = {one.value: at for at, one in enumerate(column.categories)}
        points = [
            (((len(counts) - 1 if one.holds == "others" else places[one.label]) + 0.5) / len(counts), one.rate)
            for one in rates
        ]
    else:
        about = f"{_shown_value(column, shape.low)} to {_shown_value(column, shape.high)}"
        counts = shape.counts
        points = [(_across(one, shape), one.rate) for one in rates]
    missing = f"; {shown_share(column.missing_share)} missing" if column.missing else ""
    level = found.target.rate if found.target is not None and rates else None
    top = f"; rate to {shown_share(max(one.rate for one in rates))}" if rates else ""
    name = _short(column.name)
    drawn = sparkline_histogram(counts, f"distribution of {name}", rates=points, level=level)
    return figure(drawn, f"{name}: {about}{missing}{top}")


def _across(of: RateBin, shape: Histogram) -> float:
    assert of.middle is not None
    if not shape.high > shape.low:
        return 0.5
    # Halves, for the width of the widest column is no float.
    place = (of.middle / 2.0 - shape.low / 2.0) / (shape.high / 2.0 - shape.low / 2.0)
    return min(max(place, 0.0), 1.0)


def _numbers(columns: Sequence[ColumnProfile]) -> list[Html]:
    headings = ["column", "infinite", "min", *(f"{share:.0%}" for share in QUANTILES), "max", "mean"]
    headings += ["deviation", "skewness", "beyond fences", "beyond 3 deviations"]
    rows = [
        [
            one.name,
            f"{of.infinite:,}",
            *(shown_number(value) for value in (of.min, *of.quantiles, of.max, of.mean)),
            *(shown_number(value) for value in (of.standard_deviation, of.skewness)),
            f"{of.fence_outliers:,}",
            f"{of.z_outliers:,}",
        ]
        for one in columns
        if (of := one.numbers) is not None
    ]
    return [table(headings, rows, caption="Of the finite values: quantiles, moments, and how many are outliers")]


def _bin_label(column: ColumnProfile, of: RateBin) -> str:
    if column.kind == "time" and of.middle is not None:
        return f"about {_shown_value(column, of.middle)}"
    return _short(of.label)


def _rates(found: DataProfile) -> list[Html]:
    told = paragraph(
        "Share of events by decile or category, with Wilson's 95 % interval. In the drawings above it is the line, and"
        " the dashes are the rate of the whole table; the scale of the line begins at 0."
    )
    tables = [
        table(
            ["values", "rows", "events", "rate", "95 %"],
            [
                [
                    _bin_label(one, each),
                    f"{each.rows:,}",
                    f"{each.events:,}",
                    f"{each.rate:.4f}",
                    f"{each.low:.4f} to {each.high:.4f}",
                ]
                for each in one.rates
            ],
            caption=one.name,
        )
        for one in found.columns
        if one.rates
    ]
    return [told, figures(tables)]
