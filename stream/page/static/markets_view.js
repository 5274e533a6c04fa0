/** The view of markets: every symbol with its zone, one of them in charts, and portfolios. */

import { ApiError, ask } from "./api.js";
import { element, fill } from "./element.js";
import { short } from "./names.js";
import { brief, count, fixed, significant } from "./numbers.js";
import { portfolioTable } from "./portfolios.js";
import { go } from "./route.js";
import { sparkline } from "./sparkline.js";
import { TimeChart } from "./time_chart.js";
import { localTime } from "./times.js";
import { zoneMark } from "./zone.js";

const CONFIDENCE = 99;
const CALM_MS = 1000;
const MOST_BARS = 500;
const percent = (value) => (value === null ? "–" : `${significant(value, 3)} %`);

export class MarketsView {
  constructor() {
    this.title = "Markets";
    this.symbols = [];
    this.symbol = "";
    this.bars = [];
    this.isHere = false;
    this.list = element("ul", { class: "symbols" });
    this.head = element("header", { class: "symbol-head" });
    this.charts = [
      new TimeChart("Price at the close of each bar", [{ label: "close", colour: "--ink", kind: "line", text: (value) => significant(value, 6) }], "market"),
      new TimeChart("Volatility, annualised", [{ label: "volatility", colour: "--accent", kind: "line", text: percent }], "market", " %"),
      new TimeChart("Loss of each bar beside its 99 % value at risk", [
        { label: "loss", colour: "--bar", kind: "bars", text: percent },
        { label: "value at risk", colour: "--accent", kind: "line", text: percent },
        { label: "exceeded", colour: "--critical", kind: "points", text: percent },
      ], "market", " %"),
    ];
    this.tests = element("section");
    this.portfolios = element("section", { class: "portfolios" });
    this.empty = element("div");
    this.main = element("div", { class: "symbol" }, this.head, ...this.charts.map((chart) => chart.node), this.tests);
    this.pane = element("section", { class: "pane", "aria-label": "Symbols" }, element("h2", {}, "Symbols"), this.list);
    this.side = element("div", { class: "side" }, this.main, this.portfolios);
    this.node = element("div", { class: "view markets-view" }, element("h1", { class: "unseen-text" }, "Markets"), this.empty, this.pane, this.side);
  }

  /** @param {URLSearchParams} query */
  async enter(query) {
    this.isHere = true;
    const asked = query.get("symbol") ?? "";
    await this.#guarded(async () => {
      await this.#askSymbols();
      const symbol = asked || this.symbols[0]?.symbol || "";
      if (symbol && symbol !== this.symbol) await this.#askBars(symbol);
      this.#drawAll();
    });
  }

  leave() {
    this.isHere = false;
  }

  /** @param {any} point of a bar that closed */
  take(point) {
    if (point.symbol === this.symbol && !(this.bars.at(-1)?.end_ms >= point.end_ms)) {
      this.bars.push(point);
      if (this.bars.length > MOST_BARS) this.bars.shift();
    }
    if (!this.isHere || this.waiting) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      if (!this.isHere) return;
      this.#guarded(async () => {
        await this.#askSymbols();
        this.#drawAll();
      });
    }, CALM_MS);
  }

  /** Asks for everything anew. */
  reload() {
    this.symbol = "";
    if (this.isHere) dispatchEvent(new Event("hashchange"));
  }

  redraw() {
    for (const chart of this.charts) chart.redraw();
  }

  /** @param {KeyboardEvent} event @returns {boolean} */
  key(event) {
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (!by || !this.symbols.length) return false;
    const at = this.symbols.findIndex((one) => one.symbol === this.symbol);
    this.#choose(this.symbols[Math.min(this.symbols.length - 1, Math.max(0, at + by))].symbol);
    return true;
  }

  #choose(symbol) {
    go("markets", new URLSearchParams({ symbol }), { replace: true });
  }

  async #askSymbols() {
    const [symbols, portfolios] = await Promise.all([ask("/api/symbols"), ask("/api/portfolios")]);
    this.symbols = symbols.symbols;
    fill(this.portfolios, portfolios.portfolios.length ? portfolioTable(portfolios.portfolios) : null);
  }

  async #askBars(symbol) {
    this.bars = (await ask(`/api/symbols/${encodeURIComponent(symbol)}/series`)).bars;
    this.symbol = symbol;
  }

  async #guarded(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#showEmpty("This cannot be shown", error.message);
    }
  }

  #showEmpty(title, text) {
    fill(this.empty, element("div", { class: "empty" }, element("h2", {}, title), element("p", {}, text)));
    this.pane.hidden = this.side.hidden = true;
  }

  #drawAll() {
    if (!this.symbols.length) {
      this.#showEmpty("No market is followed yet", "Symbols appear here with their first closed bar. A worker follows markets when RISKSTREAM_MARKET_BUNDLE names a bundle and ticks come.");
      return;
    }
    fill(this.empty);
    this.pane.hidden = this.side.hidden = false;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.symbol : null;
    const lines = this.symbols.map((one) => this.#line(one));
    fill(this.list, ...lines);
    if (focused !== null) lines.map((one) => one.firstChild).find((one) => one.dataset.symbol === focused)?.focus();
    const figures = this.symbols.find((one) => one.symbol === this.symbol);
    if (!figures) return;
    const risk = figures.risk.find((one) => one.confidence_percent === CONFIDENCE && one.horizon_bars === 1);
    const test = figures.back_tests.find((one) => one.confidence_percent === CONFIDENCE);
    fill(this.head,
      element("div", {}, element("h2", {}, element("bdi", {}, short(figures.symbol, 60))),
        element("p", { class: "soft" }, `${figures.model}, ${figures.distribution}`,
          figures.model_rejected ? element("strong", { class: "rejected" }, " – the model is rejected by its residuals") : null, " · bar of ", localTime(figures.end_ms))),
      element("dl", { class: "facts" },
        fact("Close", significant(figures.close, 6)),
        fact("Volatility", percent(figures.volatility_percent)),
        fact("VaR 99, next bar", percent(risk?.value_at_risk_percent ?? null)),
        fact("Expected shortfall", percent(risk?.expected_shortfall_percent ?? null)),
        fact("Exceeded", test ? `${count(test.exceedances)} of ${count(test.bars)}` : "–"),
        fact("Zone", zoneMark(figures.zone))));
    const seconds = this.bars.map((bar) => bar.end_ms / 1000);
    const column = (name) => this.bars.map((bar) => bar[name]);
    this.charts[0].show([seconds, column("close")]);
    this.charts[1].show([seconds, column("volatility_percent")]);
    this.charts[2].show([seconds, column("loss_percent"), column("value_at_risk_percent"), this.bars.map((bar) => (bar.exceeded ? bar.loss_percent : null))]);
    fill(this.tests, backTests(figures));
  }

  #line(one) {
    const risk = one.risk.find((figure) => figure.confidence_percent === CONFIDENCE && figure.horizon_bars === 1);
    return element("li", {}, element("button", {
      type: "button", "data-symbol": one.symbol, "aria-current": one.symbol === this.symbol ? "true" : null, on: { click: () => this.#choose(one.symbol) },
    },
    element("bdi", { class: "name" }, short(one.symbol, 30)),
    sparkline(one.recent_closes, { width: 90, height: 26 }),
    element("span", { class: "close" }, significant(one.close, 6)),
    zoneMark(one.zone),
    element("span", { class: "soft" }, `VaR ${percent(risk?.value_at_risk_percent ?? null)}`)));
  }
}

function fact(name, ...value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
}

function backTests(figures) {
  if (!figures.back_tests.length) return null;
  const p = (value) => element("td", { class: `number${value !== null && value < 0.05 ? " fails" : ""}` }, fixed(value, 3));
  return element("div", {},
    element("h3", {}, "How its values at risk have stood the test"),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Back-tests" }, element("table", {},
      element("thead", {}, element("tr", {},
        ...["Confidence", "Exceeded", "Expected", "Kupiec p", "Christoffersen p", "Dynamic quantile p", "Shortfall Z2"].map((name, at) => element("th", { scope: "col", class: at ? "number" : null }, name)))),
      element("tbody", {}, ...figures.back_tests.map((one) => element("tr", {},
        element("th", { scope: "row" }, `${one.confidence_percent} %`),
        element("td", { class: "number" }, `${count(one.exceedances)} of ${brief(one.bars)}`),
        element("td", { class: "number soft" }, fixed((one.bars * (100 - one.confidence_percent)) / 100, 1)),
        p(one.kupiec_p), p(one.christoffersen_p), p(one.dynamic_quantile_p),
        element("td", { class: "number" }, fixed(one.shortfall_z2, 2))))))),
    element("p", { class: "soft" }, "A p-value below 0.05, in red, says that there are too many or too few, or that they cluster."));
}
