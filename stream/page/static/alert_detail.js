/** One alert, whole: how bad, why, what its score is made of, what would have been none, and what came before. */

import { ApiError, ask } from "./api.js";
import { contributions } from "./contributions.js";
import { element, fill } from "./element.js";
import { entityHistory } from "./entity_history.js";
import { reasonName, short } from "./names.js";
import { fixed, significant } from "./numbers.js";
import { severityMark } from "./severity.js";
import { localTime, span } from "./times.js";

export class AlertDetail {
  /**
   * @param {() => void} close
   * @param {(alertId: string) => void} open another one
   * @param {(part: object) => void} narrow the list to an entity
   */
  constructor(close, open, narrow) {
    this.close = close;
    this.open = open;
    this.narrow = narrow;
    this.asking = null;
    this.node = element("article", { class: "detail", tabindex: "-1", "aria-label": "Alert" });
  }

  /** @param {string} alertId @param {import("./alert_store.js").AlertRow|undefined} row what is known of it already */
  async show(alertId, row) {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    fill(this.node, this.#bar(), row ? heading(row) : null, element("p", { class: "waiting" }, "Reading the alert …"));
    this.node.scrollTop = 0;
    try {
      const detail = await ask(`/api/alerts/${encodeURIComponent(alertId)}`, asking.signal);
      const history = element("div", {}, element("p", { class: "waiting" }, "Reading what came before …"));
      fill(this.node, this.#bar(), ...this.#parts(detail, history));
      await this.#showHistory(detail.alert, history, asking.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      fill(this.node, this.#bar(), row ? heading(row) : null, element("div", { class: "empty" },
        element("h2", {}, error.status === 404 ? "This alert is not kept here any more" : "This alert cannot be shown"),
        element("p", {}, error.message)));
    }
  }

  hide() {
    this.asking?.abort();
    this.asking = null;
  }

  async #showHistory(alert, node, signal) {
    const { entity_kind: kind, entity_id: id, alert_id: alertId } = alert;
    try {
      const path = `/api/entities/${kind}/${encodeURIComponent(id)}/history?alert=${encodeURIComponent(alertId)}`;
      fill(node, ...entityHistory(await ask(path, signal), this.open));
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      fill(node, element("p", { class: "soft" }, error.message));
    }
  }

  #bar() {
    return element("div", { class: "detail-bar" },
      element("button", { type: "button", class: "quiet close", "aria-label": "Close the alert", title: "Close (Esc)", on: { click: this.close } }, "✕"));
  }

  #parts(detail, history) {
    const { alert } = detail;
    return [
      heading(alert),
      facts(detail, () => this.narrow({ entity: alert.entity_id, kinds: new Set([alert.entity_kind]) })),
      section("Why", alert.reasons.length
        ? element("ol", { class: "reasons" }, ...alert.reasons.map((one) => element("li", {},
            element("strong", {}, short(reasonName(one.code), 60)),
            element("span", {}, short(one.text || `${one.feature} ${significant(one.value)}, usually ${significant(one.usual_value)}`, 300)))))
        : element("p", { class: "soft" }, "No single feature stands out.")),
      detail.note ? element("p", { class: "note" }, short(detail.note, 600)) : null,
      detail.features.length ? section("What the score is made of", contributions(detail)) : null,
      section(alert.entity_kind === "customer" ? "What this customer did before" : "What came before", history),
      element("footer", { class: "soft" },
        line("Alert", alert.alert_id), line("Event", alert.event_id),
        line("Bundle", `${alert.bundle_name} ${alert.bundle_version}`),
        line("Source", `${alert.source.topic}, partition ${alert.source.partition}, offset ${alert.source.offset}`)),
    ];
  }
}

function heading(row) {
  return element("header", {},
    element("p", { class: "eyebrow" }, severityMark(row.severity), element("span", { class: "outcome", "data-outcome": row.outcome }, row.outcome)),
    element("h2", {}, element("span", { class: "kind" }, `${row.entity_kind} `), element("bdi", {}, short(row.entity_id, 200))));
}

function facts({ alert, arrived_ms: arrivedMs }, narrow) {
  const happenedMs = alert.event_time_ns / 1e6;
  const isCustomer = alert.entity_kind === "customer";
  const score = isCustomer ? fixed(alert.score, 4) : `${significant(alert.score, 3)} × the limit`;
  const delay = (arrivedMs - happenedMs) / 1000;
  return element("div", { class: "facts-row" }, element("dl", { class: "facts" },
    fact("Score", gauge(alert, isCustomer), score),
    fact("Threshold", null, isCustomer ? fixed(alert.threshold, 4) : significant(alert.threshold, 3)),
    fact("Happened", null, localTime(happenedMs)),
    fact("Alerted", null, localTime(arrivedMs), element("small", {}, delay < 0 ? "before it, by its clock" : `${span(delay)} later`))),
    element("button", { type: "button", class: "quiet", on: { click: narrow } }, "Only its alerts"));
}

function gauge(alert, isCustomer) {
  const most = isCustomer ? 1 : Math.max(2, alert.score);
  const fillBar = element("i");
  fillBar.style.width = `${Math.min(100, (100 * alert.score) / most)}%`;
  const mark = element("b");
  mark.style.left = `${Math.min(100, (100 * alert.threshold) / most)}%`;
  return element("span", { class: "gauge", "data-severity": alert.severity, "aria-hidden": "true" }, fillBar, mark);
}

function fact(name, mark, ...values) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...values, mark));
}

function line(name, value) {
  return element("div", {}, `${name} `, element("code", {}, short(value, 200)));
}

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}
