"""Market: how much each symbol moves and may lose, whether values at risk hold, and what forecasts are worth."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.board import Band, Section, board, choice
from deploy.grafana.shapes import Query, Steps, bars, lines, number, states

CHOSEN = 'symbol=~"$symbol"'
VOLATILITY = f"riskstream_volatility_percent_annualised{{{CHOSEN}}}"
FEEDS = 'topic=~".*(ticks|rates|positions)"'
ZONES = {0: ("green", "green"), 1: ("yellow", "yellow"), 2: ("red", "red")}
ZONE_STEPS: Steps = ((1, "yellow"), (2, "red"))
# Of 250 bars, from so many exceedances on a 99 % value at risk is in Basel's yellow and red zone.
EXCEEDANCE_STEPS: Steps = ((5, "yellow"), (10, "red"))


def dashboard() -> Dashboard:
    """Return the dashboard."""
    symbol = choice(
        "symbol",
        "Symbol",
        "Symbols with series of their own; RISKSTREAM_SYMBOL_LABEL_LIMIT says how many may have them.",
        "label_values(riskstream_volatility_percent_annualised, symbol)",
    )
    return board(
        "riskstream-market",
        "riskstream / Market",
        "How much does each symbol move, what may it lose, do values at risk hold, and what are forecasts worth?",
        (symbol,),
        (_now(), _risk(), _back_tests(), _forecasts()),
    )


def _now() -> Section:
    return Section(
        "Now",
        (
            Band(
                4,
                (
                    number(
                        "Symbols",
                        "Symbols with a volatility. Good: as many as your feed has, up to the limit of labels.",
                        "short",
                        Query(f"count(max by (symbol) ({VOLATILITY}))", "symbols"),
                    ),
                    number(
                        "Without series",
                        "Symbols that the limit of labels leaves out here; workers follow them all the same. To see "
                        "them raise RISKSTREAM_SYMBOL_LABEL_LIMIT.",
                        "short",
                        Query("sum(riskstream_symbols_without_label)", "left out"),
                        steps=((1, "yellow"),),
                    ),
                    number(
                        "Worst zone",
                        "Basel's traffic light of the 99 % value at risk: 0 green, 1 yellow, 2 red, the worst of the "
                        "chosen symbols. Good: green. Red: refit the models, and hold more until they are.",
                        "none",
                        Query(f"max(riskstream_value_at_risk_zone{{{CHOSEN}}})", "zone"),
                        steps=ZONE_STEPS,
                    ),
                    number(
                        "Smallest p of Kupiec",
                        "The least likely count of exceedances among the chosen symbols, were their values at risk "
                        "right. Of 100 symbols one is below 0.01 by chance; below that the model is wrong.",
                        "none",
                        Query(f"min(riskstream_value_at_risk_kupiec_p{{{CHOSEN}}})", "p"),
                        steps=((0.01, "yellow"), (0.05, "green")),
                        decimals=3,
                    ),
                    number(
                        "Silent for",
                        "Age of the newest record of the feed that has been silent for longest. Good: as its rhythm "
                        "is; yields and positions come daily, and markets close.",
                        "s",
                        Query(f"max(riskstream:feed_age_seconds{{{FEEDS}}})", "age"),
                    ),
                    number(
                        "Alerts on markets",
                        "A minute, over 5 minutes: symbols, yields and portfolios. Good: rare. In a storm all rise "
                        "together; one alone deserves a look at the panels below.",
                        "short",
                        Query('60 * sum(riskstream:alerts:rate5m{risk_job=~"ticks|rates|portfolios"})', "alerts"),
                    ),
                ),
            ),
        ),
    )


def _risk() -> Section:
    return Section(
        "Risk",
        (
            Band(
                10,
                (
                    lines(
                        "Volatility, by symbol",
                        "Annualised conditional volatility after the last closed bar, in percent. It clusters: high "
                        "follows high. One symbol that jumps alone: news, or a bad price in its feed.",
                        "percent",
                        Query(f"max by (symbol) ({VOLATILITY})", "{{symbol}}"),
                    ),
                    lines(
                        "Value at risk, 99 %, by symbol",
                        "Loss of the next bar, in percent of the price, that 1 bar in 100 should exceed. It follows "
                        "volatility; where it does not, the method in use looks back too far.",
                        "percent",
                        Query(f"max by (symbol) (riskstream_value_at_risk_percent{{{CHOSEN}}})", "{{symbol}}"),
                    ),
                    lines(
                        "Age of the feeds",
                        "Since the newest record that workers took up of ticks, rates and positions. Good: a saw with "
                        "teeth as long as the feed pauses. A line that only climbs: the feed has stopped.",
                        "s",
                        Query(f"riskstream:feed_age_seconds{{{FEEDS}}}", "{{topic}}"),
                    ),
                ),
            ),
        ),
    )


def _back_tests() -> Section:
    return Section(
        "Do values at risk hold",
        (
            Band(
                8,
                (
                    states(
                        "Basel zone, by symbol",
                        "Green up to 4 exceedances in 250 bars, yellow up to 9, then red. Good: green. Yellow happens "
                        "by chance to 1 in 10; red never does: refit, or choose another method.",
                        Query(f"max by (symbol) (riskstream_value_at_risk_zone{{{CHOSEN}}})", "{{symbol}}"),
                        ZONES,
                    ),
                    lines(
                        "Exceedances, by symbol",
                        "Bars among the last 250 that lost more than their 99 % value at risk. Good: some 2 or 3. 0 "
                        "for long: too cautious; above the dashed 5 and 10: too bold.",
                        "short",
                        Query(f"max by (symbol) (riskstream_value_at_risk_exceedances{{{CHOSEN}}})", "{{symbol}}"),
                        steps=EXCEEDANCE_STEPS,
                    ),
                ),
            ),
            Band(
                8,
                (
                    lines(
                        "p of Kupiec, by symbol",
                        "How likely the count of exceedances is where the value at risk is right. Good: anything above "
                        "the dashed 0.05. Below 0.01 for days: too many, or far too few; exceedances tell which.",
                        "none",
                        Query(f"min by (symbol) (riskstream_value_at_risk_kupiec_p{{{CHOSEN}}})", "{{symbol}}"),
                        steps=((0.05, "yellow"),),
                        most=1.0,
                    ),
                    bars(
                        "Bars counted, by symbol",
                        "Bars that the back-tests rest on, 250 once there are as many. Below 100 a single exceedance "
                        "can turn a symbol yellow: wait.",
                        "short",
                        Query(
                            f"sort(max by (symbol) (riskstream_value_at_risk_back_test_bars{{{CHOSEN}}}))", "{{symbol}}"
                        ),
                        steps=((100, "yellow"), (250, "green")),
                    ),
                ),
            ),
        ),
    )


def _forecasts() -> Section:
    return Section(
        "What forecasts are worth",
        (
            Band(
                9,
                (
                    lines(
                        "Scaled error (MASE), by forecaster, mean of the chosen symbols",
                        "Errors of the one-bar forecasts beside those of the random walk: below the dashed 1 they beat "
                        "it. Good: at 1 or just below. Well above for days: refit, or do without.",
                        "none",
                        Query(f"avg by (forecaster) (riskstream_forecast_mase{{{CHOSEN}}})", "{{forecaster}}"),
                        steps=((1.0, "yellow"),),
                        least=None,
                    ),
                    bars(
                        "Scaled error (MASE) of the best forecaster, by symbol",
                        "Errors beside those of the random walk, of the forecaster that errs least; at 1 it is no "
                        "better. Below 0.9 is too good: look for prices that repeat or come late.",
                        "none",
                        Query(f"sort(min by (symbol) (riskstream_forecast_mase{{{CHOSEN}}}))", "{{symbol}}"),
                        steps=((1.0, "yellow"),),
                    ),
                ),
            ),
        ),
    )
