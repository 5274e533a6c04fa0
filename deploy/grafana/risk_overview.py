"""Risk overview: what was scored and alerted, why, and how many of the alerts were frauds."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.board import Band, Section, board, instances
from deploy.grafana.shapes import Query, bars, lines, number

ALERTED = 'sum(rate(riskstream_events_total{instance=~"$instance", risk_job="merchants", event="alerted"}[5m]))'
SCORED = 'sum(rate(riskstream_events_total{instance=~"$instance", risk_job="merchants", event="scored"}[5m]))'
ALERTS = "riskstream_alerts_total"


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        "riskstream-risk",
        "riskstream / Risk overview",
        "What was scored and alerted, why, and how many of the alerts were frauds?",
        (instances(),),
        (_now(), _alerts(), _outcomes()),
    )


def _now() -> Section:
    return Section(
        "Now",
        (
            Band(
                4,
                (
                    number(
                        "Transactions scored",
                        "A second, over 5 minutes. Good: what your sources send. 0 while they send: look at the "
                        "dashboard Service health.",
                        "ops",
                        Query(SCORED, "scored"),
                    ),
                    number(
                        "Alerts on transactions",
                        "A second, over 5 minutes. Good: what those who look at them can bear; the thresholds of the "
                        "bundle set it.",
                        "ops",
                        Query(ALERTED, "alerts"),
                    ),
                    number(
                        "Alerted",
                        "Alerts to a transaction scored, over 5 minutes. Good: near the share that the bundle was "
                        "trained for, often 1 %. Far above: see the reasons below, and drift on the dashboard Model.",
                        "percentunit",
                        Query(f"{ALERTED} / {SCORED}", "alerted"),
                        steps=((0.05, "yellow"), (0.2, "red")),
                        decimals=2,
                    ),
                    number(
                        "Precision",
                        "Of the labelled alerts on customers, the share that were frauds. Good: as in the report of "
                        "the bundle. Where labels name frauds alone it is always 100 %, and says nothing: label what "
                        "was cleared too.",
                        "percentunit",
                        Query("max(riskstream_live_precision)", "precision"),
                        decimals=1,
                    ),
                    number(
                        "Recall",
                        "Of the labelled frauds, the share that were alerted. Good: as in the report of the bundle. "
                        "Falling: fraud has changed; train anew on what is labelled by now.",
                        "percentunit",
                        Query("max(riskstream_live_recall)", "recall"),
                        decimals=1,
                    ),
                    number(
                        "Labelled frauds",
                        "Frauds that labels told of, in the monitor's window of event time. Below some tens, "
                        "precision and recall are chance. 0 for days: labels do not come.",
                        "short",
                        Query("sum(riskstream_labelled_frauds)", "frauds"),
                    ),
                ),
            ),
        ),
    )


def _alerts() -> Section:
    return Section(
        "Alerts",
        (
            Band(
                8,
                (
                    lines(
                        "Scored and decided, by job",
                        "Transactions scored (merchants) and applications decided, a second. Good: it follows the "
                        "sources; their rhythm of day and week is theirs.",
                        "ops",
                        Query("riskstream:scored:rate5m", "{{risk_job}}"),
                    ),
                    lines(
                        "Alerts, by job",
                        "Alerts on transactions (merchants), symbols (ticks), yields (rates) and portfolios, a second. "
                        "One that jumps alone: look at what it watches.",
                        "ops",
                        Query("riskstream:alerts:rate5m", "{{risk_job}}"),
                    ),
                    lines(
                        "Alerted transactions, the share",
                        "Alerts to a transaction scored, over 5 minutes. Good: steady. A step: a new bundle, another "
                        "mix of customers, or an attack; the reasons tell them apart.",
                        "percentunit",
                        Query(f"{ALERTED} / {SCORED}", "alerted"),
                    ),
                ),
            ),
            Band(
                9,
                (
                    lines(
                        "Alerts, by outcome",
                        "Alerts seen on the topic, a minute, by what the bundle advises. Good: few that decline. A "
                        "rise of one alone: thresholds or scores have moved.",
                        "short",
                        Query(f"60 * sum by (outcome) (rate({ALERTS}[5m]))", "{{outcome}}"),
                        stacked=True,
                    ),
                    lines(
                        "Alerts, by severity",
                        "Alerts seen on the topic, a minute. Good: the severe are few. Severe ones that rise alone: "
                        "the list of alerts tells on whom; many entities at once are rarely all fraud.",
                        "short",
                        Query(f"60 * sum by (severity) (rate({ALERTS}[5m]))", "{{severity}}"),
                        stacked=True,
                    ),
                    bars(
                        "Reasons, in the time shown",
                        "The reasons that alerts gave most often; an alert gives several. Good: the order of the last "
                        "weeks. A new one at the top tells what has changed in the stream.",
                        "short",
                        Query(
                            "sort_desc(topk(12, sum by (code) (increase(riskstream_alert_reasons_total[$__range]))))",
                            "{{code}}",
                        ),
                    ),
                ),
            ),
        ),
    )


def _outcomes() -> Section:
    return Section(
        "What became of them: labels within the monitor's window of event time",
        (
            Band(
                8,
                (
                    lines(
                        "Precision and recall",
                        "The share of labelled alerts that were frauds, and of labelled frauds that were alerted. "
                        "Good: level. Both fall: fraud has changed; precision alone: something harmless looks like it. "
                        "Precision of 100 % throughout: only frauds are labelled.",
                        "percentunit",
                        Query("max(riskstream_live_precision)", "precision"),
                        Query("max(riskstream_live_recall)", "recall"),
                        most=1.0,
                    ),
                    lines(
                        "Labelled alerts, by outcome",
                        "Alerts that a label has come for, and whether they were frauds. Good: frauds are most of what "
                        "was declined. The measures above rest on these few.",
                        "short",
                        Query(
                            'sum by (outcome) (riskstream_labelled_alerts{fraud="true"})',
                            "{{outcome}}: fraud",
                        ),
                        Query(
                            'sum by (outcome) (riskstream_labelled_alerts{fraud="false"})',
                            "{{outcome}}: no fraud",
                        ),
                        stacked=True,
                    ),
                    lines(
                        "Labelled frauds, alerted or missed",
                        "Frauds that labels told of. Good: most were alerted. Many missed: lower the thresholds, which "
                        "costs precision, or train anew.",
                        "short",
                        Query('sum(riskstream_labelled_frauds{alerted="true"})', "alerted"),
                        Query('sum(riskstream_labelled_frauds{alerted="false"})', "missed"),
                        stacked=True,
                    ),
                ),
            ),
        ),
    )
