"""Model: do scores and features still look as in training, and are scores the probabilities that they say."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.board import Band, Section, board, choice
from deploy.grafana.shapes import Query, Steps, bars, columns, lines, number

# The usual reading of the population stability index: from 0.1 on a change, from 0.25 on a large one.
PSI_STEPS: Steps = ((0.1, "yellow"), (0.25, "red"))


def dashboard() -> Dashboard:
    """Return the dashboard."""
    feature = choice(
        "feature",
        "Feature",
        "The feature whose distribution is shown beside its reference.",
        "label_values(riskstream_feature_reference_share, feature)",
        several=False,
    )
    return board(
        "riskstream-model",
        "riskstream / Model",
        "Do scores and features still look as in training, and are scores the probabilities that they say?",
        (feature,),
        (_now(), _scores(), _features(), _calibration()),
    )


def _now() -> Section:
    return Section(
        "Now",
        (
            Band(
                4,
                (
                    number(
                        "Drift of the scores",
                        "Population stability index of the last hour's scores beside those of the bundle's test. Good: "
                        "below 0.1. Above 0.25: see which features moved, then whether calibration holds.",
                        "none",
                        Query("riskstream:score_psi:1h", "index"),
                        steps=PSI_STEPS,
                        decimals=3,
                    ),
                    number(
                        "Features that drift",
                        "Features whose index of the last hour is above 0.25. Good: 0; in an hour of the night a few. "
                        "Many at once: a source has changed, or the customers have.",
                        "short",
                        Query("count(riskstream:feature_psi:1h > 0.25) or vector(0)", "features"),
                        steps=((1, "yellow"), (5, "red")),
                    ),
                    number(
                        "Scored in the hour",
                        "Transactions that the indices rest on. Below 1,000 they are chance: wait.",
                        "short",
                        Query("sum(increase(riskstream_scores_total[1h]))", "scored"),
                        steps=((1_000, "green"),),
                    ),
                    number(
                        "Error of calibration",
                        "Frauds that scores put into the wrong bin, to a fraud that they foretold. Good: below 20 %. "
                        "Above 50 %: thresholds mean something else now; train or calibrate anew.",
                        "percentunit",
                        Query("riskstream:calibration_error:ratio", "error"),
                        steps=((0.2, "yellow"), (0.5, "red")),
                        decimals=1,
                    ),
                    number(
                        "Labelled",
                        "Transactions with a label that calibration rests on, in the monitor's window. Below some "
                        "hundreds it is chance: wait for labels.",
                        "short",
                        Query("sum(riskstream_calibration_transactions)", "transactions"),
                    ),
                    number(
                        "Of scores, not of alerts",
                        "1: calibration rests on all scores; 0: on alerts alone, where all scores are high, since "
                        "scores are not published. RISKSTREAM_PUBLISH_SCORES=true changes that.",
                        "none",
                        Query('max(riskstream_calibration_source{source="scores"}) or vector(0)', "scores"),
                        steps=((1, "green"),),
                    ),
                ),
            ),
        ),
    )


def _scores() -> Section:
    return Section(
        "Scores",
        (
            Band(
                9,
                (
                    columns(
                        "Scores of the last hour beside the reference",
                        "The share of scores in each bin; the bins are the same for both. Good: pairs of equal height. "
                        "All moved to one side: the features below tell why.",
                        "percentunit",
                        "bin",
                        Query("max by (bin) (riskstream:score_share:1h)", "last hour"),
                        Query("max by (bin) (riskstream_score_reference_share)", "reference"),
                    ),
                    lines(
                        "Drift of the scores",
                        "Population stability index of the last hour's scores. Good: under the dashed 0.1, with the "
                        "rhythm of the day. A step that stays: what changed then?",
                        "none",
                        Query("riskstream:score_psi:1h", "index"),
                        steps=PSI_STEPS,
                    ),
                ),
            ),
        ),
    )


def _features() -> Section:
    return Section(
        "Features",
        (
            Band(
                12,
                (
                    bars(
                        "Drift, by feature",
                        "Population stability index of the last hour, the 15 that moved most. Good: below 0.1. Time of "
                        "day and counts within days move by themselves within a day; the others should not.",
                        "none",
                        Query("sort_desc(topk(15, riskstream:feature_psi:1h))", "{{feature}}"),
                        steps=PSI_STEPS,
                    ),
                    columns(
                        "$feature, the last hour beside the reference",
                        "The share of the chosen feature's values in each bin; `missing` is without a value. Good: "
                        "pairs of equal height. Missing that grows: a source leaves something out.",
                        "percentunit",
                        "bin",
                        Query('max by (bin) (riskstream:feature_share:1h{feature="$feature"})', "last hour"),
                        Query(
                            'max by (bin) (riskstream_feature_reference_share{feature="$feature"})',
                            "reference",
                        ),
                    ),
                    lines(
                        "Drift of $feature",
                        "Population stability index of the chosen feature's values of the last hour. Good: under the "
                        "dashed 0.1, or in the rhythm of the day. A step that stays: ask the source.",
                        "none",
                        Query('riskstream:feature_psi:1h{feature="$feature"}', "{{feature}}"),
                        steps=PSI_STEPS,
                    ),
                ),
            ),
        ),
    )


def _calibration() -> Section:
    return Section(
        "Calibration: labelled transactions in the monitor's window, by bins of the score of equal width",
        (
            Band(
                9,
                (
                    columns(
                        "What scores said beside what was",
                        "Mean score and share of frauds in each bin. Good: pairs of equal height, rising. Frauds above "
                        "scores: too little is alerted; below: too much. Frauds at 100 % in all bins: only frauds are "
                        "labelled, and nothing can be told; label what was cleared too.",
                        "percentunit",
                        "bin",
                        Query(
                            "max by (bin) (riskstream_calibration_mean_score) "
                            "and on (bin) (max by (bin) (riskstream_calibration_transactions) > 0)",
                            "mean score",
                        ),
                        Query(
                            "max by (bin) (riskstream_calibration_fraud_fraction) "
                            "and on (bin) (max by (bin) (riskstream_calibration_transactions) > 0)",
                            "share of frauds",
                        ),
                    ),
                    columns(
                        "Labelled transactions, by bin",
                        "How many each pair beside rests on. Most lie in the lowest bin, since most transactions are "
                        "no frauds; below some tens a pair says little.",
                        "short",
                        "bin",
                        Query("max by (bin) (riskstream_calibration_transactions)", "transactions"),
                    ),
                    lines(
                        "Error of calibration",
                        "Frauds in the wrong bin to a fraud foretold. Good: level and low. It rises when fraud or "
                        "customers change; labels come late, so it tells of weeks ago.",
                        "percentunit",
                        Query("riskstream:calibration_error:ratio", "error"),
                        steps=((0.2, "yellow"), (0.5, "red")),
                    ),
                ),
            ),
        ),
    )
