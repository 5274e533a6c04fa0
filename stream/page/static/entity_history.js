/** What came before an alert: a customer's payments, or a symbol's bars. */

import { drawing, element } from "./element.js";
import { short } from "./names.js";
import { fixed, significant } from "./numbers.js";
import { severityMark } from "./severity.js";
import { scoreText } from "./alert_list.js";
import { local, localTime, utc } from "./times.js";

const SHOWN = 10;
const WIDTH = 600;
const HEIGHT = 120;

/**
 * @param {any} history as the server gives it
 * @param {(alertId: string) => void} open another alert
 * @returns {(Node|null)[]}
 */
export function entityHistory(history, open) {
  return [
    history.transactions ? payments(history.transactions) : null,
    history.bars?.length ? losses(history.bars) : null,
    others(history.alerts, open),
  ];
}

function payments(transactions) {
  if (!transactions.length) {
    return element("p", { class: "soft" }, "The transactions before this alert are not in Kafka any more.");
  }
  const rows = [...transactions].reverse().map((one) => element("tr", { class: one.alerted ? "alerted" : null },
    element("td", {}, localTime(one.event_time_ms)),
    element("td", {}, element("bdi", {}, short(one.merchant_id, 40))),
    element("td", { class: "number" }, fixed(one.amount, 2)),
    element("td", {}, one.currency)));
  const body = element("tbody", {}, ...rows.slice(0, SHOWN));
  const all = rows.length > SHOWN
    ? element("button", { type: "button", class: "quiet", on: { click: () => {
        body.append(...rows.slice(SHOWN));
        all.remove();
      } } }, `Show all ${rows.length} payments`)
    : null;
  return element("div", { class: "payments" },
    dots(transactions.map((one) => ({ at: one.event_time_ms, value: one.amount, marked: one.alerted,
      text: `${fixed(one.amount, 2)} ${one.currency}, ${utc(one.event_time_ms)}` })),
    `Amounts of ${transactions.length} payments, up to ${fixed(Math.max(...transactions.map((one) => one.amount)), 2)}; the alert's is filled`),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Payments" }, element("table", {},
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "When"), element("th", { scope: "col" }, "Merchant"),
        element("th", { scope: "col", class: "number" }, "Amount"), element("th", { scope: "col" }, "Currency"))),
      body)),
    all);
}

function losses(bars) {
  const last = bars.slice(-120);
  return dots(last.map((bar) => ({ at: bar.end_ms, value: bar.loss_percent, marked: bar.exceeded,
    text: `loss ${significant(bar.loss_percent, 3)} %, ${utc(bar.end_ms)}` })), "Losses of the last bars in percent; those beyond the 99 % value at risk are filled");
}

function dots(points, label) {
  const first = points[0].at;
  const span = points.at(-1).at - first || 1;
  const low = Math.min(0, ...points.map((one) => one.value));
  const high = Math.max(...points.map((one) => one.value), low + 1e-9);
  const x = (at) => 8 + (WIDTH - 16) * ((at - first) / span);
  const y = (value) => HEIGHT - 8 - (HEIGHT - 16) * ((value - low) / (high - low));
  return element("figure", { class: "dots" },
    drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
      drawing("line", { class: "zero", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }),
      ...points.map((one) => drawing("line", { class: one.marked ? "stem marked" : "stem", x1: x(one.at), x2: x(one.at), y1: y(0), y2: y(one.value) })),
      ...points.map((one) => drawing("circle", { class: one.marked ? "dot marked" : "dot", cx: x(one.at), cy: y(one.value), r: one.marked ? 5.5 : 3 },
        drawing("title", {}, one.text)))),
    element("figcaption", {}, element("span", {}, local(first)), element("span", {}, label), element("span", {}, local(points.at(-1).at))));
}

function others(alerts, open) {
  if (!alerts.length) return element("p", { class: "soft" }, "No other alert is kept on it.");
  return element("div", { class: "others-list" },
    element("h4", {}, "Its other alerts"),
    element("ul", {}, ...alerts.map((row) => element("li", {}, element("button",
      { type: "button", on: { click: () => open(row.alert_id) } },
      severityMark(row.severity), element("span", { class: "score" }, scoreText(row)),
      element("span", { class: "why" }, row.reasons[0] ? short(row.reasons[0].text, 90) : "no single feature stands out"),
      element("span", { class: "at" }, local(row.event_time_ms)))))));
}
