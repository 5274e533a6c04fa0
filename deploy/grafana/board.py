"""What all dashboards have: variables, links to one another, and panels in a grid of sections and bands."""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.shapes import SOURCE

GRID_COLUMNS = 24
TAG = "riskstream"


@dataclass(frozen=True)
class Band:
    """Panels side by side, equally wide."""

    height_units: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Section:
    """Bands under one heading."""

    title: str
    bands: tuple[Band, ...]


def board(
    uid: str,
    title: str,
    description: str,
    variables: Sequence[dashboards.QueryVariable],
    sections: Sequence[Section],
) -> Dashboard:
    """Return a dashboard: the data source is its first variable, and other dashboards of the project are linked."""
    builder = (
        dashboards.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables([dashboards.DatasourceVariable("datasource").label("Prometheus").type("prometheus"), *variables])
        .link(
            dashboards.DashboardLink("riskstream")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(False)
            .keep_time(True)
        )
    )
    made = builder.build()
    made.panels = _placed(sections)
    return made


def choice(name: str, label: str, description: str, query: str, *, several: bool = True) -> dashboards.QueryVariable:
    """Return a variable that the reader chooses among what a query of label values gives: all, until then, if several.

    All is a pattern and not a list, so that what has gone since, and lies in the time shown, is there too.
    """
    variable = (
        dashboards.QueryVariable(name)
        .label(label)
        .description(description)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    if several:
        variable.multi(True).include_all(True).all_value(".+").current(VariableOption(True, ["All"], ["$__all"]))
    return variable


def instances() -> dashboards.QueryVariable:
    """Return the variable `instance`: workers."""
    return choice(
        "instance",
        "Worker",
        "Workers whose own figures are shown. What recording rules worked out is of all workers.",
        "label_values(riskstream_ready, instance)",
    )


def risk_jobs() -> dashboards.QueryVariable:
    """Return the variable `risk_job`: the jobs of workers."""
    return choice(
        "risk_job",
        "Job",
        "Jobs of the workers: customers, labels, merchants, and those of markets and credit where they run.",
        "label_values(riskstream_records_consumed_total, risk_job)",
    )


def _placed(sections: Sequence[Section]) -> list[Panel | RowPanel]:
    """Return all panels from top to bottom, with headings, each with its place and a number of its own."""
    placed: list[Panel | RowPanel] = []
    top = 0
    for section in sections:
        placed.append(
            RowPanel(title=section.title, id_val=len(placed) + 1, grid_pos=GridPos(h=1, w=GRID_COLUMNS, x=0, y=top))
        )
        top += 1
        for band in section.bands:
            width = GRID_COLUMNS // len(band.panels)
            for place, panel in enumerate(band.panels):
                panel.id_val = len(placed) + 1
                panel.grid_pos = GridPos(h=band.height_units, w=width, x=place * width, y=top)
                placed.append(panel)
            top += band.height_units
    return placed
