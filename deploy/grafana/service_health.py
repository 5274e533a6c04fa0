"""Service health: does the service keep up, how fast does it answer, does it lose or refuse anything."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.board import Band, Section, board, instances, risk_jobs
from deploy.grafana.shapes import Query, heat, lines, number, rows

OWN = 'instance=~"$instance", risk_job=~"$risk_job"'
LATENCY = f"riskstream_end_to_end_latency_seconds_bucket{{{OWN}}}"

# The objective of latency, as the rules have it: of the chunks, 1 % may take longer than a quarter of a second.
LATENCY_SECONDS = 0.25
LATENCY_BUDGET = 0.01
CORRECTNESS_BUDGET = 0.0001
BURN_STEPS = ((1.0, "yellow"), (6.0, "orange"), (14.4, "red"))


def dashboard() -> Dashboard:
    """Return the dashboard."""
    return board(
        "riskstream-health",
        "riskstream / Service health",
        "Does the service keep up, how fast does it answer, and does it lose or refuse anything?",
        (instances(), risk_jobs()),
        (_now(), _flow(), _latency(), _durability(), _faults(), _objectives(), _running()),
    )


def _now() -> Section:
    return Section(
        "Now",
        (
            Band(
                4,
                (
                    number(
                        "Workers ready",
                        "Workers that answer and hold the state of all their partitions. Good: as many as you started. "
                        "Fewer: see the log of the one that is missing; the others take its partitions up.",
                        "short",
                        Query('sum(riskstream_ready{instance=~"$instance"})', "ready"),
                        steps=((1, "green"),),
                    ),
                    number(
                        "Workers down",
                        "Workers that Prometheus knows of and cannot reach. Good: 0. Else start them again, or take "
                        "them off the list where they were stopped for good.",
                        "short",
                        Query('count(up{job="riskstream-worker"} == 0) or vector(0)', "down"),
                        steps=((1, "red"),),
                    ),
                    number(
                        "Scored",
                        "Transactions scored and applications decided, a second, over 5 minutes. Good: what your "
                        "sources send. 0 while they send: look at lag and workers.",
                        "ops",
                        Query("sum(riskstream:scored:rate5m)", "scored"),
                    ),
                    number(
                        "Waiting",
                        "Records on the workers' topics that are not read yet. Good: some hundreds, or falling. "
                        "Rising for minutes: start another worker, up to as many as there are partitions.",
                        "short",
                        Query("sum(riskstream:lag_records:sum)", "records"),
                        steps=((10_000, "yellow"), (1_000_000, "red")),
                    ),
                    number(
                        "Latency, p99",
                        "99 of 100 chunks are answered within this time, in the slowest job, over 5 minutes. Good: "
                        "below 0.25 s, the objective. Above: see whether lag, checkpoints or the outbox rise too.",
                        "s",
                        Query("max(riskstream:latency_seconds:p99_5m)", "p99"),
                        steps=((LATENCY_SECONDS, "yellow"), (1.0, "red")),
                    ),
                    number(
                        "Refused",
                        "Dead letters to a record taken up, in the worst job, over 5 minutes. Good: below 1 %. Above: "
                        "the reasons are below, and the messages on the topic deadletter.",
                        "percentunit",
                        Query("max(riskstream:dead_letter_ratio:rate5m)", "dead letters"),
                        steps=((0.01, "yellow"), (0.25, "red")),
                    ),
                ),
            ),
        ),
    )


def _flow() -> Section:
    return Section(
        "Flow",
        (
            Band(
                8,
                (
                    lines(
                        "Records taken up, by job",
                        "Records read from Kafka a second. Good: it follows the sources. A job at 0 beside others "
                        "that run: its source is silent, or it is stuck; lag tells which.",
                        "ops",
                        Query(
                            f"sum by (risk_job) (rate(riskstream_records_consumed_total{{{OWN}}}[$__rate_interval]))",
                            "{{risk_job}}",
                        ),
                    ),
                    lines(
                        "Records published, by stream",
                        "Outputs written to Kafka a second. Good: few alerts beside many scores. Alerts that rise "
                        "alone: look at the risk overview.",
                        "ops",
                        Query(
                            f"sum by (stream) (rate(riskstream_records_published_total{{{OWN}}}[$__rate_interval]))",
                            "{{stream}}",
                        ),
                    ),
                ),
            ),
            Band(
                8,
                (
                    lines(
                        "Lag, by topic",
                        "Records of a topic that workers have not read yet. Good: near 0, or falling after a start. "
                        "Rising: too few workers, or one that hangs; a partition has one reader.",
                        "short",
                        Query("riskstream:lag_records:sum", "{{topic}}"),
                    ),
                    lines(
                        "Lag of readers of the outputs, by group",
                        "Records of alerts, scores and other outputs that a group has not committed. Good: near 0. "
                        "Rising: the reader is slow or gone; the workers do not mind.",
                        "short",
                        Query("riskstream:group_lag_records:sum", "{{group}}: {{topic}}"),
                    ),
                ),
            ),
        ),
    )


def _latency() -> Section:
    return Section(
        "End-to-end latency: from the source record's timestamp to its outputs being handed to Kafka",
        (
            Band(
                8,
                (
                    lines(
                        "Latency of all chosen jobs",
                        "Half, 90 and 99 of 100 chunks are answered within these times. Good: p99 under the dashed "
                        "0.25 s. p99 high and p50 low: bursts, or a rebalance; both high: the workers are behind.",
                        "s",
                        *(
                            Query(
                                f"histogram_quantile({share}, sum by (le) (rate({LATENCY}[$__rate_interval])))",
                                f"p{share * 100:g}",
                            )
                            for share in (0.5, 0.9, 0.99)
                        ),
                        steps=((LATENCY_SECONDS, "red"),),
                        logarithmic=True,
                    ),
                    lines(
                        "Latency, p99, by job",
                        "99 of 100 chunks of a job are answered within this time. Good: under the dashed 0.25 s. "
                        "Second hops (merchants, portfolios) wait some milliseconds for their sources by design.",
                        "s",
                        Query(
                            f"histogram_quantile(0.99, sum by (risk_job, le) (rate({LATENCY}[$__rate_interval])))",
                            "{{risk_job}}",
                        ),
                        steps=((LATENCY_SECONDS, "red"),),
                        logarithmic=True,
                    ),
                ),
            ),
            Band(
                9,
                (
                    heat(
                        "Latency, how often",
                        "Chunks answered, by how long it took. Good: one warm band at the bottom. A second band above: "
                        "something pauses now and then; a band that climbs: the workers fall behind.",
                        "s",
                        Query(f"sum by (le) (increase({LATENCY}[$__rate_interval]))", "{{le}}"),
                    ),
                    lines(
                        "Time a chunk takes, by stage",
                        "Mean wall time: `fold` decodes, scores and decides, `publish` hands over, `copy` takes the "
                        "rows of a checkpoint. Good: milliseconds. It grows with the chunks, which grow with the load.",
                        "s",
                        Query(
                            "sum by (stage) (rate(riskstream_stage_duration_seconds_sum"
                            f"{{{OWN}}}[$__rate_interval])) / "
                            "sum by (stage) (rate(riskstream_stage_duration_seconds_count"
                            f"{{{OWN}}}[$__rate_interval]))",
                            "{{stage}}",
                        ),
                    ),
                ),
            ),
        ),
    )


def _durability() -> Section:
    return Section(
        "Checkpoints and restores",
        (
            Band(
                8,
                (
                    lines(
                        "Age of the last checkpoint, by job",
                        "Of the oldest partition. Good: some seconds where records come. A partition without traffic "
                        "has nothing to make durable, and ages. Old under traffic: a crash costs that long a replay.",
                        "s",
                        Query(
                            f"max by (risk_job) (time() - riskstream_last_checkpoint_timestamp_seconds{{{OWN}}})",
                            "{{risk_job}}",
                        ),
                    ),
                    lines(
                        "Time a checkpoint takes, p99, by job",
                        "From the copy of the changed rows to the commit. Good: below 1 s. Above: Kafka is slow, or "
                        "the checkpoints are large; scoring goes on meanwhile.",
                        "s",
                        Query(
                            "histogram_quantile(0.99, sum by (risk_job, le) (rate("
                            f"riskstream_checkpoint_duration_seconds_bucket{{{OWN}}}[$__rate_interval])))",
                            "{{risk_job}}",
                        ),
                        steps=((1.0, "red"),),
                    ),
                    lines(
                        "Outputs not acknowledged, by worker",
                        "Records in the outbox. Good: near 0. Above 5,000 for minutes: the broker is slow or gone; at "
                        "50,000 in a partition the worker reads no further.",
                        "short",
                        Query('max by (instance) (riskstream_outbox_records{instance=~"$instance"})', "{{instance}}"),
                        steps=((5_000, "red"),),
                    ),
                ),
            ),
            Band(
                8,
                (
                    lines(
                        "Partitions restored, by job",
                        "Partitions whose state was read back, in each interval. Good: 0, but when workers come and "
                        "go. Again and again: a worker dies, or is too slow for its session.",
                        "short",
                        Query(
                            f"sum by (risk_job) (increase(riskstream_restore_duration_seconds_count{{{OWN}}}"
                            "[$__rate_interval]))",
                            "{{risk_job}}",
                        ),
                    ),
                    lines(
                        "Restores under way, by job",
                        "Changelog records read by restores that have not ended. Good: 0. A million take some 5 s; for "
                        "minutes: the changelog is large and not compacted, or the broker is slow.",
                        "short",
                        Query(
                            f"sum by (risk_job) (riskstream_restoring_records{{{OWN}}})",
                            "{{risk_job}}",
                        ),
                    ),
                    lines(
                        "Rows held, by job",
                        "Customers, merchants, symbols and other keys in the workers' memory. Good: it levels off. A "
                        "steady rise is new keys; each takes some hundreds of bytes.",
                        "short",
                        Query(f"sum by (risk_job) (riskstream_state_rows{{{OWN}}})", "{{risk_job}}"),
                    ),
                ),
            ),
        ),
    )


def _faults() -> Section:
    return Section(
        "What was refused, and what failed",
        (
            Band(
                8,
                (
                    lines(
                        "Dead letters, by reason",
                        "Messages that could not be used, a second. Good: nothing here. A reason that starts at once: "
                        "a source has changed its messages; the topic deadletter has them with their place.",
                        "ops",
                        Query(
                            f"sum by (reason) (rate(riskstream_records_rejected_total{{{OWN}}}[$__rate_interval])) > 0",
                            "{{reason}}",
                        ),
                        stacked=True,
                    ),
                    lines(
                        "Faults of the engine, by job",
                        "Messages that the engine itself raised on, a second, each put aside. Good: 0, always. Else "
                        "keep the dead letter: it repeats the fault, which is the project's to mend.",
                        "ops",
                        Query(
                            "sum by (risk_job) (rate(riskstream_processing_failures_total"
                            f"{{{OWN}}}[$__rate_interval]))",
                            "{{risk_job}}",
                        ),
                    ),
                ),
            ),
        ),
    )


def _objectives() -> Section:
    return Section(
        "Objectives: 1 burns the error budget in exactly its 30 days",
        (
            Band(
                8,
                (
                    lines(
                        "Latency budget burnt, worst job",
                        "How many times as fast as allowed chunks take over 0.25 s, of which 1 % may. Good: below 1. "
                        "Above 14.4 over 1 h and 5 min, or 6 over 6 h and 30 min, an alert wants a person now.",
                        "short",
                        *(
                            Query(
                                f'max(riskstream:slow_chunks:ratio_rate{window}{{risk_job=~"$risk_job"}}) '
                                f"/ {LATENCY_BUDGET}",
                                window,
                            )
                            for window in ("5m", "1h", "6h", "3d")
                        ),
                        steps=BURN_STEPS,
                    ),
                    lines(
                        "Correctness budget burnt",
                        "How many times as fast as allowed the engine raises on messages, of which 0.01 % may be. "
                        "Good: 0. Any value above is a fault of the engine; the panel of faults names the job.",
                        "short",
                        *(
                            Query(f"riskstream:incorrect:ratio_rate{window} / {CORRECTNESS_BUDGET}", window)
                            for window in ("5m", "1h", "6h", "3d")
                        ),
                        steps=BURN_STEPS,
                    ),
                ),
            ),
        ),
    )


def _running() -> Section:
    return Section(
        "What runs",
        (
            Band(
                6,
                (
                    rows(
                        "Bundles",
                        "Bundles that score, and by how many workers. Good: one version of a kind. Two for longer than "
                        "a roll-out: the same event gets another score by where it lies; restart those with the old.",
                        "short",
                        ("kind", "name", "version", "model"),
                        Query(
                            'count by (kind, name, version, model) (riskstream_bundle_info{instance=~"$instance"})',
                            "workers",
                        ),
                    ),
                ),
            ),
        ),
    )
