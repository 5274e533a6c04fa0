/** The table of portfolios: what each may lose, and where it stood the test. */

import { element } from "./element.js";
import { short } from "./names.js";
import { brief, count, significant } from "./numbers.js";
import { localTime } from "./times.js";
import { zoneMark } from "./zone.js";

const CONFIDENCE = 99;

/** @param {any[]} portfolios @returns {HTMLElement} */
export function portfolioTable(portfolios) {
  const heads = ["Portfolio", "As of", "Gross exposure", "VaR 99, one bar", "Exceeded", "Zone", "Loss for 1 bp", "Worst rate shock"];
  return element("div", {},
    element("h2", {}, "Portfolios"),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Portfolios" }, element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((name, at) => element("th", { scope: "col", class: at > 1 && at !== 5 ? "number" : null }, name)))),
      element("tbody", {}, ...portfolios.map(row)))));
}

function row(one) {
  const market = one.market;
  const risk = market?.risk.find((figure) => figure.method === market.risk_method && figure.confidence_percent === CONFIDENCE && figure.horizon_bars === 1);
  const test = market?.back_tests.find((figure) => figure.confidence_percent === CONFIDENCE);
  const rates = one.interest_rates;
  return element("tr", {},
    element("th", { scope: "row" }, element("bdi", {}, short(one.portfolio, 40))),
    element("td", {}, localTime(one.as_of_ms)),
    number(market ? brief(market.gross_exposure) : ""),
    number(risk ? `${significant(risk.value_at_risk_percent, 3)} %` : ""),
    number(test ? `${count(test.exceedances)} of ${count(test.bars)}` : ""),
    element("td", {}, market ? zoneMark(test?.zone ?? null) : ""),
    number(rates ? `${significant(rates.dv01, 4)} ${rates.currency}` : ""),
    number(rates ? `${significant(rates.worst_loss_percent, 3)} %` : ""));
}

function number(text) {
  return element("td", { class: "number" }, text);
}
