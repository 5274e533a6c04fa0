/** What the alerts that are shown have in common, for when none is open. */

import { element } from "./element.js";
import { reasonName, short } from "./names.js";
import { count } from "./numbers.js";
import { SEVERITIES } from "./alert_store.js";
import { drawing } from "./element.js";
import { local, span } from "./times.js";

const SLOTS = 48;
const MOST = 7;

/**
 * @param {import("./alert_store.js").AlertRow[]} rows the newest first
 * @param {(part: object) => void} narrow to a reason or an entity
 * @returns {HTMLElement}
 */
export function alertOverview(rows, narrow) {
  const reasons = new Map();
  const entities = new Map();
  for (const row of rows) {
    for (const code of new Set(row.reasons.map((one) => one.code))) reasons.set(code, (reasons.get(code) ?? 0) + 1);
    const key = `${row.entity_kind}\n${row.entity_id}`;
    const entity = entities.get(key) ?? { row, alerts: 0 };
    entity.alerts += 1;
    entities.set(key, entity);
  }
  const topReasons = [...reasons].sort((one, other) => other[1] - one[1]).slice(0, MOST);
  const topEntities = [...entities.values()].sort((one, other) => other.alerts - one.alerts).slice(0, MOST);
  return element(
    "section",
    { class: "overview", "aria-label": "Overview of the alerts shown" },
    element("h2", {}, "At a glance"),
    element("p", { class: "soft" }, "What the alerts in the list have in common. Open one to see what its score is made of."),
    ...(rows.length ? [whenTheyCame(rows)] : []),
    ranking("Why", topReasons.map(([code, alerts]) => ({
      name: short(reasonName(code), 60), alerts, narrow: () => narrow({ reasons: new Set([code]) }),
    }))),
    ranking("Who", topEntities.map(({ row, alerts }) => ({
      name: short(row.entity_id, 60), alerts, narrow: () => narrow({ entity: row.entity_id, kinds: new Set([row.entity_kind]) }),
    }))),
  );
}

function ranking(title, lines) {
  const most = Math.max(1, ...lines.map((line) => line.alerts));
  return element(
    "div",
    { class: "ranking" },
    element("h3", {}, title),
    element("ol", {}, ...lines.map((line) => {
      const bar = element("span", { class: "bar", "aria-hidden": "true" });
      bar.style.width = `${(100 * line.alerts) / most}%`;
      return element("li", {}, element(
        "button",
        { type: "button", title: "Show only these", on: { click: line.narrow } },
        bar, element("bdi", { class: "name" }, line.name), element("span", { class: "count" }, count(line.alerts)),
      ));
    })),
  );
}

function whenTheyCame(rows) {
  const last = Math.max(...rows.map((row) => row.event_time_ms));
  const first = Math.min(...rows.map((row) => row.event_time_ms));
  const width = Math.max(1, (last - first) / SLOTS);
  const slots = Array.from({ length: SLOTS }, () => ({ critical: 0, high: 0, medium: 0, low: 0 }));
  for (const row of rows) slots[Math.min(SLOTS - 1, Math.floor((row.event_time_ms - first) / width))][row.severity] += 1;
  const most = Math.max(1, ...slots.map((slot) => SEVERITIES.reduce((sum, name) => sum + slot[name], 0)));
  const bars = slots.flatMap((slot, at) => {
    let y = 60;
    return [...SEVERITIES].map((name) => {
      const height = (slot[name] / most) * 58;
      y -= height;
      return height ? drawing("rect", { class: "slot", "data-severity": name, x: at * 10 + 1, width: 8, y, height }) : null;
    });
  });
  return element(
    "figure",
    { class: "timeline" },
    drawing("svg", { viewBox: `0 0 ${SLOTS * 10} 60`, preserveAspectRatio: "none", role: "img",
      "aria-label": `Alerts by event time: ${count(rows.length)} within ${span((last - first) / 1000)}` }, ...bars),
    element("figcaption", {}, element("span", {}, local(first)), element("span", {}, `${span((width * SLOTS) / 1000)} of event time`), element("span", {}, local(last))),
  );
}
