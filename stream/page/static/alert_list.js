/** The list of alerts: rows that come at the top, unless the reader is looking at it, and that keys move along. */

import { element, fill } from "./element.js";
import { short } from "./names.js";
import { fixed, significant } from "./numbers.js";
import { severityMark } from "./severity.js";
import { ago, local, utc } from "./times.js";

const STEP = 100;

/** @param {import("./alert_store.js").AlertRow} row @returns {string} its score, in units of the threshold where that is one. */
export function scoreText(row) {
  return row.entity_kind === "customer" ? fixed(row.score, 3) : `${significant(row.score, 3)}×`;
}

export class AlertList {
  /** @param {(alertId: string) => void} open @param {() => void} left is called when nobody looks at it any more. */
  constructor(open, left) {
    this.open = open;
    this.pointed = false;
    this.shown = STEP;
    this.rows = [];
    /** @type {Map<string, HTMLElement>} */
    this.nodes = new Map();
    this.selected = "";
    this.list = element("ol", {
      class: "alerts",
      id: "alert-list",
      role: "listbox",
      tabindex: "0",
      "aria-label": "Alerts, the newest first",
      on: {
        click: (event) => this.#click(event),
        keydown: (event) => this.#key(event),
        focus: () => this.#focus(),
        blur: () => left(),
      },
    });
    this.more = element("button", { type: "button", class: "more", hidden: true, on: { click: () => this.#showMore() } });
    this.node = element("div", { class: "alerts-scroll" }, this.list, this.more);
    this.node.addEventListener("pointerenter", (event) => (this.pointed = event.pointerType === "mouse"));
    this.node.addEventListener("pointerleave", () => {
      this.pointed = false;
      left();
    });
    this.node.addEventListener("scroll", () => {
      if (this.node.scrollTop < 4) left();
    }, { passive: true });
    new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#showMore(), {
      root: this.node,
      rootMargin: "400px",
    }).observe(this.more);
  }

  /** Whether the reader looks at the list, so that it must not move. */
  get held() {
    return this.pointed || this.node.scrollTop >= 4 || (this.list.matches(":focus-visible") && this.selected !== "");
  }

  /** @param {import("./alert_store.js").AlertRow[]} rows @param {Set<string>} fresh identities that have just come */
  show(rows, fresh = new Set()) {
    this.rows = rows;
    const wanted = rows.slice(0, this.shown);
    const kept = new Map();
    let place = this.list.firstChild;
    for (const row of wanted) {
      const node = this.nodes.get(row.alert_id) ?? this.#node(row, fresh.has(row.alert_id));
      kept.set(row.alert_id, node);
      if (node === place) place = place.nextSibling;
      else this.list.insertBefore(node, place);
    }
    for (const [alertId, node] of this.nodes) if (!kept.has(alertId)) node.remove();
    this.nodes = kept;
    this.more.hidden = rows.length <= this.shown;
    this.more.textContent = `Show more of ${rows.length}`;
    this.select(this.selected, { scroll: false });
  }

  /** Goes back to the first rows, as for another filter. */
  restart() {
    this.shown = STEP;
    this.node.scrollTop = 0;
  }

  /** @param {string} alertId @param {{scroll?: boolean}} [how] */
  select(alertId, { scroll = true } = {}) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.selected = alertId;
    const node = this.nodes.get(alertId);
    if (!node) {
      this.list.removeAttribute("aria-activedescendant");
      return;
    }
    node.setAttribute("aria-selected", "true");
    this.list.setAttribute("aria-activedescendant", node.id);
    if (scroll) node.scrollIntoView({ block: "nearest" });
  }

  /** Takes the focus, and moves the selection where there is one. @param {number} by rows */
  step(by) {
    this.move(this.nodes.has(this.selected) ? by : 0);
    this.list.focus({ preventScroll: true });
  }

  /** Moves the selection. @param {number} by rows */
  move(by) {
    if (!this.rows.length) return;
    const at = this.rows.findIndex((row) => row.alert_id === this.selected);
    const to = at < 0 ? 0 : Math.min(this.rows.length - 1, Math.max(0, at + by));
    while (to >= this.shown && this.shown < this.rows.length) this.#showMore();
    this.select(this.rows[to].alert_id);
  }

  /** Says anew how long ago each alert came. */
  tick() {
    for (const node of this.nodes.values()) {
      const text = ago(Number(node.dataset.arrived));
      const shown = node.querySelector(".ago");
      if (shown.textContent !== text) shown.textContent = text;
    }
  }

  #node(row, isFresh) {
    const reason = row.reasons[0];
    const others = row.reasons.length > 1 ? ` +${row.reasons.length - 1}` : "";
    return element(
      "li",
      {
        role: "option",
        id: `alert-${row.alert_id.replace(/[^\w-]/g, "_").slice(0, 80)}-${row.sequence}`,
        class: isFresh ? "fresh" : null,
        "aria-selected": "false",
        "data-alert": row.alert_id,
        "data-arrived": row.arrived_ms,
        "data-severity": row.severity,
      },
      severityMark(row.severity),
      element("span", { class: "who" }, element("span", { class: "kind" }, row.entity_kind), element("bdi", {}, short(row.entity_id))),
      element("span", { class: "score" }, scoreText(row)),
      element("span", { class: "why" }, reason ? short(reason.text, 140) : "no single feature stands out", element("span", { class: "others" }, others)),
      element("span", { class: "outcome", "data-outcome": row.outcome }, row.outcome),
      element(
        "span",
        { class: "when", title: `happened ${utc(row.event_time_ms)}\ncame ${utc(row.arrived_ms)}` },
        element("span", { class: "ago" }, ago(row.arrived_ms)),
        element("span", { class: "at" }, local(row.event_time_ms)),
      ),
    );
  }

  #showMore() {
    if (this.shown >= this.rows.length) return;
    this.shown += STEP;
    this.show(this.rows);
  }

  #click(event) {
    const node = event.target.closest("[data-alert]");
    if (!node) return;
    this.select(node.dataset.alert, { scroll: false });
    this.open(node.dataset.alert);
  }

  #focus() {
    if (!this.nodes.has(this.selected) && this.rows.length && this.list.matches(":focus-visible")) this.select(this.rows[0].alert_id);
  }

  #key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };
    if (event.key in moves) {
      event.preventDefault();
      this.move(moves[event.key]);
    } else if ((event.key === "Enter" || event.key === " ") && this.selected) {
      event.preventDefault();
      this.open(this.selected);
    }
  }
}

/** @param {AlertList} list @param {string} title @param {string} text says why there is nothing, and what to do */
export function showEmpty(list, title, text) {
  fill(list.list);
  list.nodes.clear();
  return element("div", { class: "empty" }, element("h2", {}, title), element("p", {}, text));
}
