/** The view of alerts: filters, the list as it grows, and one alert or an overview beside it. */

import { AlertDetail } from "./alert_detail.js";
import { filterOf, isEmpty, queryOf, takes } from "./alert_filter.js";
import { AlertFilterBar } from "./alert_filter_bar.js";
import { AlertList, showEmpty } from "./alert_list.js";
import { alertOverview } from "./alert_overview.js";
import { element, fill } from "./element.js";
import { count } from "./numbers.js";
import { go } from "./route.js";

const CALM_MS = 250;
const OVERVIEW_MS = 2000;

export class AlertsView {
  /** @param {import("./alert_store.js").AlertStore} store @param {() => string} waitsFor says what is missing, if anything */
  constructor(store, waitsFor) {
    this.store = store;
    this.waitsFor = waitsFor;
    this.title = "Alerts";
    this.filter = filterOf(new URLSearchParams());
    this.opened = "";
    this.isPaused = false;
    this.held = [];
    this.fresh = new Set();
    this.drawnAt = 0;
    this.bar = new AlertFilterBar((filter) => this.#go(filter, this.opened, true));
    this.list = new AlertList((alertId) => this.openAlert(alertId), () => this.#letGo());
    this.detail = new AlertDetail(() => this.closeAlert(), (alertId) => this.openAlert(alertId), (part) => this.#narrow(part));
    this.status = element("span", { class: "soft" });
    this.news = element("button", { type: "button", class: "news", hidden: true, on: { click: () => this.#takeNews() } });
    this.pause = element("button", { type: "button", class: "quiet", "aria-pressed": "false", title: "Hold the list (p)", on: { click: () => this.togglePause() } }, "Pause");
    this.empty = element("div");
    this.side = element("aside", { class: "side", "aria-label": "Alert or overview" });
    this.node = element("div", { class: "view alerts-view" },
      element("h1", { class: "unseen-text" }, "Alerts"),
      element("section", { class: "pane", "aria-label": "List of alerts" },
        this.bar.node,
        element("div", { class: "list-status" }, this.status, this.news, this.pause),
        this.empty, this.list.node),
      this.side);
    setInterval(() => this.list.tick(), 1000);
  }

  /** @param {URLSearchParams} query */
  enter(query) {
    const before = queryOf(this.filter).toString();
    this.filter = filterOf(query);
    const alertId = query.get("alert") ?? "";
    if (queryOf(this.filter).toString() !== before) {
      this.#takeHeld();
      this.list.restart();
    }
    if (alertId !== this.opened) {
      this.opened = alertId;
      if (alertId) this.detail.show(alertId, this.store.byId.get(alertId));
      else this.detail.hide();
    }
    this.node.classList.toggle("has-detail", alertId !== "");
    if (alertId) this.list.select(alertId);
    this.draw();
  }

  leave() {}

  /** @param {import("./alert_store.js").AlertRow[]} rows that came, the oldest first */
  take(rows) {
    if (this.isPaused || this.list.held) this.held.push(...rows);
    else for (const row of this.store.add(rows)) this.fresh.add(row.alert_id);
    this.#drawSoon();
  }

  /** Draws all of it, now. */
  draw() {
    this.drawnAt = performance.now();
    const shown = this.store.rows.filter((row) => takes(this.filter, row));
    this.bar.show(this.filter, this.store.rows);
    if (shown.length) {
      fill(this.empty);
      this.list.show(shown, this.fresh);
    } else fill(this.empty, this.#emptyText());
    this.list.node.hidden = !shown.length;
    this.fresh = new Set();
    const isWhole = isEmpty(this.filter);
    this.status.textContent = isWhole ? `${count(shown.length)} alerts` : `${count(shown.length)} of ${count(this.store.rows.length)} alerts`;
    const news = this.held.filter((row) => takes(this.filter, row)).length;
    this.news.hidden = news === 0;
    this.news.textContent = `${count(news)} new`;
    if (this.opened) {
      if (this.side.firstChild !== this.detail.node) fill(this.side, this.detail.node);
    } else this.#drawOverview(shown);
  }

  /** @param {string} alertId */
  openAlert(alertId) {
    this.#go(this.filter, alertId, false);
    if (matchMedia("(max-width: 899px)").matches) requestAnimationFrame(() => this.detail.node.focus());
  }

  closeAlert() {
    if (!this.opened) return;
    this.#go(this.filter, "", false);
    this.list.list.focus({ preventScroll: true });
  }

  togglePause() {
    this.isPaused = !this.isPaused;
    this.pause.setAttribute("aria-pressed", String(this.isPaused));
    this.pause.textContent = this.isPaused ? "Paused" : "Pause";
    if (!this.isPaused) this.#letGo();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether it was for this view */
  key(event) {
    switch (event.key) {
      case "j": this.list.step(1); return true;
      case "k": this.list.step(-1); return true;
      case "/": this.bar.search.focus(); this.bar.search.select(); return true;
      case "p": this.togglePause(); return true;
      case "n": this.#takeNews(); return true;
      case "Enter":
        if (!this.list.selected || document.activeElement !== document.body) return false;
        this.openAlert(this.list.selected);
        return true;
      case "Escape":
        if (document.activeElement === this.bar.search) this.bar.search.blur();
        else this.closeAlert();
        return true;
      default: return false;
    }
  }

  /** Shows what changed in the theme. */
  redraw() {}

  #drawOverview(shown) {
    const asked = queryOf(this.filter).toString();
    const isSame = this.side.firstChild !== null && this.side.firstChild !== this.detail.node && asked === this.overviewOf;
    const isHeld = this.side.contains(document.activeElement) || this.side.matches(":hover");
    // It must not move under the pointer, nor lose the focus, nor change with every alert.
    if (isSame && (isHeld || performance.now() - this.overviewAt < OVERVIEW_MS)) {
      clearTimeout(this.overviewLater);
      this.overviewLater = setTimeout(() => this.#drawSoon(), OVERVIEW_MS);
      return;
    }
    const top = isSame ? this.side.scrollTop : 0;
    fill(this.side, alertOverview(shown, (part) => this.#narrow(part)));
    this.side.scrollTop = top;
    this.overviewOf = asked;
    this.overviewAt = shown.length ? performance.now() : -Infinity;
  }

  #narrow(part) {
    this.#go({ ...this.filter, ...part }, "", false);
  }

  #go(filter, alertId, replace) {
    const query = queryOf(filter);
    if (alertId) query.set("alert", alertId);
    go("alerts", query, { replace });
  }

  #letGo() {
    if (this.isPaused || this.list.held || !this.held.length) return;
    this.#takeHeld();
    this.#drawSoon();
  }

  #takeNews() {
    this.#takeHeld();
    this.list.node.scrollTop = 0;
    this.draw();
  }

  #takeHeld() {
    for (const row of this.store.add(this.held)) this.fresh.add(row.alert_id);
    this.held = [];
  }

  #drawSoon() {
    if (this.drawing) return;
    const wait = Math.max(0, CALM_MS - (performance.now() - this.drawnAt));
    this.drawing = setTimeout(() => {
      this.drawing = null;
      this.draw();
    }, wait);
  }

  #emptyText() {
    if (!this.store.loaded) return showEmpty(this.list, "Reading the alerts …", "");
    const missing = this.waitsFor();
    if (this.store.rows.length) return showEmpty(this.list, "No alert is like that", "Choose less, or clear the filter: alerts that fit will appear here as they come.");
    if (missing) return showEmpty(this.list, "Nothing to show yet", `The page waits for ${missing}.`);
    return showEmpty(this.list, "No alert yet", "They appear here by themselves, within a moment of a worker raising them.");
  }
}
