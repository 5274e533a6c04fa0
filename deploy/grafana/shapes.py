"""The shapes of panels that all dashboards are made of, so that one kind of figure looks the same everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import barchart, bargauge, common, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus as queries
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    FieldColorModeId,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The data source that the reader has chosen."""

Steps = tuple[tuple[float, str], ...]
"""Values, ascending, from each of which on a colour holds."""


@dataclass(frozen=True)
class Query:
    """An expression of PromQL and what its series are called: `{{label}}` stands for a label's value."""

    expression: str
    legend: str


def lines(
    title: str,
    description: str,
    unit: str,
    *shown: Query,
    steps: Steps = (),
    stacked: bool = False,
    least: float | None = 0.0,
    most: float | None = None,
    logarithmic: bool = False,
) -> Panel:
    """Return lines over time; `steps` are drawn across, and `least` and `most` end the axis.

    A logarithmic axis has no 0 to begin at, and goes by what is shown.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .color_scheme(dashboards.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .line_width(1 if stacked else 2)
        .fill_opacity(60 if stacked else 8)
        .show_points(looks.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(looks.LegendDisplayMode.TABLE)
            .placement(looks.LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
            .sort_by("Last *")
            .sort_desc(True)
        )
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
        .targets([_over_time(query, number) for number, query in enumerate(shown)])
    )
    if least is not None and not logarithmic:
        panel.min(least)
    if most is not None:
        panel.max(most)
    if stacked:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL))
    if logarithmic:
        panel.scale_distribution(common.ScaleDistributionConfig().type(looks.ScaleDistribution.LOG).log(10))
    if steps:
        panel.thresholds(_thresholds(steps))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED))
    return panel.build()


def number(
    title: str, description: str, unit: str, query: Query, *, steps: Steps = (), decimals: int | None = None
) -> Panel:
    """Return a number as it is now, coloured by `steps`, before its course."""
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .color_mode(looks.BigValueColorMode.VALUE if steps else looks.BigValueColorMode.NONE)
        .graph_mode(looks.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none yet")
        .thresholds(_thresholds(steps))
        .targets([_over_time(query, 0)])
    )
    if decimals is not None:
        panel.decimals(decimals)
    return panel.build()


def bars(title: str, description: str, unit: str, query: Query, *, steps: Steps = ()) -> Panel:
    """Return what holds now as horizontal bars, in the order that the query gives them."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .orientation(looks.VizOrientation.HORIZONTAL)
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("none yet")
        .thresholds(_thresholds(steps))
        .targets([_now(query, 0)])
        .build()
    )


def columns(title: str, description: str, unit: str, label: str, *shown: Query) -> Panel:
    """Return what holds now as groups of columns: one group a value of a label, one column a query."""
    return (
        barchart.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .x_field(label)
        .show_value(looks.VisibilityMode.NEVER)
        .group_width(0.8)
        .fill_opacity(75)
        .axis_label(label)
        .legend(
            common.VizLegendOptions()
            .show_legend(len(shown) > 1)
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.NONE))
        .targets([_now(query, number).format(PromQueryFormat.TABLE) for number, query in enumerate(shown)])
        .transformations(_joined(label, shown))
        .build()
    )


def heat(title: str, description: str, unit: str, query: Query) -> Panel:
    """Return how often each bucket of a histogram was hit over time; the query gives one series a bucket, by `le`."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit("short")
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Turbo").steps(64).exponent(0.5))
        .cell_gap(1)
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .rows_frame(heatmap.RowsHeatmapOptions().layout(looks.HeatmapCellLayout.LE))
        .y_axis(heatmap.YAxisConfig().unit(unit).axis_placement(looks.AxisPlacement.LEFT))
        .show_legend()
        .mode(looks.TooltipDisplayMode.SINGLE)
        .targets([_over_time(query, 0).format(PromQueryFormat.HEATMAP)])
        .build()
    )


def states(title: str, description: str, query: Query, meanings: Mapping[int, tuple[str, str]]) -> Panel:
    """Return a band a series over time, in the colour of its state: `meanings` is text and colour by value."""
    named = {
        str(value): ValueMappingResult(text=text, color=colour, index=value)
        for value, (text, colour) in meanings.items()
    }
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit("none")
        .mappings([ValueMap(options=named)])
        .color_scheme(dashboards.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(_thresholds(()))
        .show_value(looks.VisibilityMode.NEVER)
        .merge_values(True)
        .row_height(0.8)
        .fill_opacity(80)
        .line_width(0)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(looks.LegendDisplayMode.LIST)
            .placement(looks.LegendPlacement.BOTTOM)
            .calcs([])
        )
        .targets([_over_time(query, 0)])
        .build()
    )


def rows(title: str, description: str, unit: str, labels: Sequence[str], query: Query) -> Panel:
    """Return what holds now as a table: a column for each label, and the value under the query's legend."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .unit(unit)
        .align(looks.FieldTextAlignment.AUTO)
        .targets([_now(query, 0).format(PromQueryFormat.TABLE)])
        .transformations([_organised({"Value": query.legend}, (*labels, "Value"))])
        .build()
    )


def _over_time(query: Query, number: int) -> queries.Dataquery:
    return _query(query, number).range()


def _now(query: Query, number: int) -> queries.Dataquery:
    return _query(query, number).instant()


def _query(query: Query, number: int) -> queries.Dataquery:
    return (
        queries.Dataquery()
        .datasource(SOURCE)
        .ref_id(chr(ord("A") + number))
        .expr(query.expression)
        .legend_format(query.legend)
    )


def _joined(label: str, shown: Sequence[Query]) -> list[DataTransformerConfig]:
    """Return what makes one table of the tables of several queries, in the order of a label."""
    # Grafana calls the values of one table `Value`, those of several by the letter of their query.
    named = (
        {"Value": shown[0].legend}
        if len(shown) == 1
        else {f"Value #{chr(ord('A') + number)}": query.legend for number, query in enumerate(shown)}
    )
    return [
        DataTransformerConfig(id_val="merge", options={}),
        DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": label}]}),
        _organised(named, (label, *named)),
    ]


def _organised(named: Mapping[str, str], order: Sequence[str]) -> DataTransformerConfig:
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": {"Time": True},
            "indexByName": {name: place for place, name in enumerate(order)},
            "renameByName": dict(named),
        },
    )


def _thresholds(steps: Steps) -> dashboards.ThresholdsConfig:
    # Below the first step nothing is wrong, unless that step says from where on all is well.
    lowest = "red" if steps and steps[-1][1] == "green" else "green"
    return (
        dashboards.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(None, lowest), *(Threshold(value, colour) for value, colour in steps)])
    )
