"""Write the dashboards: `python -m deploy.grafana.write_dashboards` makes deploy/grafana/dashboards anew."""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import market, model, risk_overview, service_health

DIRECTORY = Path(__file__).parent / "dashboards"


def dashboards() -> dict[str, Dashboard]:
    """Return all dashboards by the name of their file, without its ending."""
    return {
        "service-health": service_health.dashboard(),
        "risk-overview": risk_overview.dashboard(),
        "market": market.dashboard(),
        "model": model.dashboard(),
    }


def rendered(dashboard: Dashboard) -> str:
    """Return a dashboard as Grafana reads it: JSON, the same characters at each call."""
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name, dashboard in dashboards().items():
        (DIRECTORY / f"{name}.json").write_text(rendered(dashboard))
