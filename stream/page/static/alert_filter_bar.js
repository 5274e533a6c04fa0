/** Where the reader says which alerts to show; each choice tells how many there are. */

import { KINDS, OUTCOMES, SEVERITIES } from "./alert_store.js";
import { isEmpty, takes } from "./alert_filter.js";
import { element, fill } from "./element.js";
import { reasonName, short } from "./names.js";
import { count } from "./numbers.js";
import { severityMeter } from "./severity.js";

export class AlertFilterBar {
  /** @param {(filter: import("./alert_filter.js").AlertFilter) => void} changed */
  constructor(changed) {
    this.changed = changed;
    this.filter = null;
    this.search = element("input", {
      type: "search",
      id: "search",
      placeholder: "Search who, event or reason",
      "aria-label": "Search alerts by who they are on, event or reason",
      autocomplete: "off",
      spellcheck: "false",
      maxlength: "200",
      on: { input: () => this.#change({ text: this.search.value }) },
    });
    this.severities = new Map(SEVERITIES.map((name) => [name, this.#chip("severities", name, severityMeter(name))]));
    this.kind = this.#choice("kinds", "Kind", "Kind");
    this.outcome = this.#choice("outcomes", "Outcome", "Outcome");
    this.reason = this.#choice("reasons", "Reason", "Reason");
    this.entity = element("button", { type: "button", class: "chip entity", hidden: true, on: { click: () => this.#change({ entity: "" }) } });
    this.clear = element("button", { type: "button", class: "quiet", on: { click: () => this.#clear() } }, "Clear");
    this.node = element(
      "div",
      { class: "filters", role: "search", "aria-label": "Filter alerts" },
      element("div", { class: "filter-row" }, this.search, this.clear),
      element("div", { class: "chips", role: "group", "aria-label": "Severity" }, ...[...this.severities.values()].map((one) => one.node)),
      element("div", { class: "filter-row choices" }, this.kind, this.outcome, this.reason, this.entity),
    );
  }

  /** @param {import("./alert_filter.js").AlertFilter} filter @param {import("./alert_store.js").AlertRow[]} rows all of them */
  show(filter, rows) {
    this.filter = filter;
    if (document.activeElement !== this.search) this.search.value = filter.text;
    const counts = { severities: new Map(), kinds: new Map(), outcomes: new Map(), reasons: new Map() };
    const raise = (field, value) => counts[field].set(value, (counts[field].get(value) ?? 0) + 1);
    for (const row of rows) {
      if (takes(filter, row, "severities")) raise("severities", row.severity);
      if (takes(filter, row, "kinds")) raise("kinds", row.entity_kind);
      if (takes(filter, row, "outcomes")) raise("outcomes", row.outcome);
      if (takes(filter, row, "reasons")) for (const code of new Set(row.reasons.map((one) => one.code))) raise("reasons", code);
    }
    for (const [name, chip] of this.severities) {
      chip.node.setAttribute("aria-pressed", String(filter.severities.has(name)));
      chip.count.textContent = count(counts.severities.get(name) ?? 0);
    }
    options(this.kind, KINDS, counts.kinds, filter.kinds, (one) => one);
    options(this.outcome, OUTCOMES, counts.outcomes, filter.outcomes, (one) => one);
    const codes = new Set([...counts.reasons.keys(), ...filter.reasons]);
    const byCount = [...codes].sort((one, other) => (counts.reasons.get(other) ?? 0) - (counts.reasons.get(one) ?? 0) || (one < other ? -1 : 1));
    options(this.reason, byCount, counts.reasons, filter.reasons, (code) => short(reasonName(code), 44));
    this.entity.hidden = !filter.entity;
    fill(this.entity, "only ", element("bdi", {}, short(filter.entity, 28)), element("span", { class: "count" }, "×"));
    this.entity.setAttribute("aria-label", `Show all, not only ${short(filter.entity, 64)}`);
    this.clear.hidden = isEmpty(filter);
  }

  #chip(field, value, mark) {
    const counted = element("span", { class: "count" }, "0");
    const node = element(
      "button",
      { type: "button", class: "chip", "data-severity": value, "aria-pressed": "false", on: { click: () => this.#toggle(field, value) } },
      mark,
      value,
      counted,
    );
    return { node, count: counted };
  }

  #choice(field, label, every) {
    const select = element("select", {
      "aria-label": label,
      "data-every": every,
      on: { change: () => this.#change({ [field]: new Set(select.value ? [select.value] : []) }) },
    });
    return select;
  }

  #toggle(field, value) {
    const chosen = new Set(this.filter[field]);
    if (!chosen.delete(value)) chosen.add(value);
    this.#change({ [field]: chosen });
  }

  #clear() {
    this.search.value = "";
    this.#change({ text: "", entity: "", kinds: new Set(), severities: new Set(), outcomes: new Set(), reasons: new Set() });
  }

  #change(part) {
    this.changed({ ...this.filter, ...part });
  }
}

function options(select, values, counts, chosen, name) {
  // A list that is open must not change under the reader's hand.
  if (document.activeElement === select && select.matches(":open, :active")) return;
  const several = chosen.size > 1 ? [element("option", { value: [...chosen].join(",") }, `${chosen.size} chosen`)] : [];
  const wanted = [
    element("option", { value: "" }, select.dataset.every),
    ...several,
    ...values.map((value) => element("option", { value }, `${name(value)} (${count(counts.get(value) ?? 0)})`)),
  ];
  fill(select, ...wanted);
  select.value = [...chosen].join(",");
  select.classList.toggle("chosen", chosen.size > 0);
}
