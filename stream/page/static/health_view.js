/** The view of health: how far workers are behind, how fast they are, and whether each answers. */

import { ApiError, ask } from "./api.js";
import { element, fill } from "./element.js";
import { short } from "./names.js";
import { brief, count, milliseconds, rate } from "./numbers.js";
import { sparkline } from "./sparkline.js";
import { span } from "./times.js";

export class HealthView {
  constructor() {
    this.title = "Health";
    this.cards = element("div", { class: "cards" });
    this.tables = element("div", { class: "tables" });
    this.node = element("div", { class: "view health-view" }, element("h1", {}, "Health"), this.cards, this.tables);
  }

  enter() {
    this.isHere = true;
    this.draw(this.state);
  }

  leave() {
    this.isHere = false;
  }

  redraw() {}

  key() {
    return false;
  }

  /** @param {any} state as the server gives it @param {string} [problem] why there is none */
  draw(state, problem = "") {
    this.state = state ?? this.state;
    if (!this.isHere) return;
    if (!this.state) {
      fill(this.tables, element("div", { class: "empty" }, element("h2", {}, problem ? "This cannot be shown" : "Asking …"), element("p", {}, problem)));
      return;
    }
    const { samples, workers, jobs, lag, page } = this.state;
    const answering = workers.filter((one) => !one.problem).length;
    const slowest = jobs.reduce((worst, one) => (one.p99_ms !== null && (worst === null || one.p99_ms > worst.p99_ms) ? one : worst), null);
    const known = answering > 0;
    const behind = lag.reduce((sum, one) => sum + one.lag_records, 0);
    fill(this.cards,
      card("Transactions scored", known ? `${rate(this.state.scored_per_second)} /s` : "–", "over the last 10 s", samples.map((one) => one.scored_per_second)),
      card("Alerts raised", known ? `${rate(this.state.alerts_per_second)} /s` : "–", "over the last 10 s", samples.map((one) => one.alerts_per_second)),
      card("Latency, p99", slowest ? milliseconds(slowest.p99_ms) : "–", slowest ? `of ${slowest.job}, the slowest; p50 ${milliseconds(slowest.p50_ms)}` : "nothing came lately", samples.map((one) => one.p99_ms)),
      card("Lag", this.state.broker_answers ? brief(behind) : "–", this.state.broker_answers ? "records not yet committed" : "the broker does not answer", samples.map((one) => one.lag_records), behind > 10_000));
    const most = Math.max(1, ...lag.map((one) => one.lag_records));
    fill(this.tables,
      table("Lag by topic", this.state.broker_answers ? "of the workers' group" : "the broker does not answer", ["Topic", "Behind", "Worst partition", ""],
        lag.map((one) => [short(one.topic, 60), count(one.lag_records), count(one.worst_partition_lag_records), meter(one.lag_records / most)]),
        1, this.state.broker_answers ? "The group has committed nothing yet." : "The broker does not answer: see RISKSTREAM_BROKER."),
      table("Jobs", "all workers together", ["Job", "Records", "p50", "p99"],
        jobs.map((one) => [one.job, `${rate(one.records_per_second)} /s`, milliseconds(one.p50_ms), milliseconds(one.p99_ms)]),
        1, "No worker has told of its jobs yet."),
      table("Workers", `${answering} of ${workers.length} answer`, ["Address", "State", "Partitions", "Scored", "Records", "p99", "Dead letters"],
        workers.map((one) => [element("bdi", {}, short(one.address, 60)),
          element("span", { class: one.problem ? "bad" : "good" }, element("span", { "aria-hidden": "true" }, one.problem ? "✕ " : "● "), one.problem || "answers"),
          one.problem ? "–" : count(one.partitions), one.problem ? "–" : `${rate(one.scored_per_second)} /s`, one.problem ? "–" : `${rate(one.records_per_second)} /s`,
          milliseconds(one.p99_ms), count(one.rejected)]),
        2, "No worker is asked: RISKSTREAM_WORKERS names where they answer."),
      table("This page", `runs for ${span(page.up_seconds)}`, ["What", "Count"],
        [["Readers", count(page.readers)], ["Alerts kept", count(page.alerts_kept)], ["Symbols kept", count(page.symbols_kept)], ["Events told", count(page.events)],
          ["Events dropped for slow readers", count(page.dropped_events)],
          ...Object.entries(page.messages_skipped).map(([topic, messages]) => [`Messages of ${short(topic, 40)} that were none`, count(messages)])],
        1, ""));
  }
}

/** Asks how all is, again and again. @param {(state: any|null, problem: string) => void} told @param {() => number} everyMs */
export async function watchHealth(told, everyMs) {
  for (;;) {
    try {
      told(await ask("/api/health"), "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      told(null, error.message);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs()));
  }
}

function card(title, value, note, samples, isBad = false) {
  return element("section", { class: `card${isBad ? " bad-card" : ""}` },
    element("h2", {}, title), element("p", { class: "figure" }, value), element("p", { class: "soft" }, note),
    sparkline(samples, { width: 240, height: 44, fromZero: true, label: `${title} in the last quarter of an hour` }));
}

function meter(share) {
  const bar = element("span", { class: "lag-bar", "aria-hidden": "true" }, element("i"));
  bar.firstChild.style.width = `${100 * share}%`;
  return bar;
}

function table(title, note, heads, rows, numbersFrom, ifEmpty) {
  return element("section", { class: "panel" },
    element("h2", {}, title, " ", element("small", {}, note)),
    rows.length
      ? element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, element("table", {},
          element("thead", {}, element("tr", {}, ...heads.map((name, at) => (name ? element("th", { scope: "col", class: at >= numbersFrom ? "number" : null }, name) : element("td"))))),
          element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((cell, at) => (at ? element("td", { class: at >= numbersFrom ? "number" : null }, cell) : element("th", { scope: "row" }, cell))))))))
      : element("p", { class: "soft" }, ifEmpty));
}
