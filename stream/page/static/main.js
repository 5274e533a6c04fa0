/** Puts the page together: views, route, keys, the live connection. */

import { AlertStore } from "./alert_store.js";
import { AlertsView } from "./alerts_view.js";
import { Announcer } from "./announcer.js";
import { ApiError } from "./api.js";
import { fill } from "./element.js";
import { HealthView, watchHealth } from "./health_view.js";
import { keysDialog } from "./keys_help.js";
import { openFeed } from "./live_feed.js";
import { MarketsView } from "./markets_view.js";
import { count } from "./numbers.js";
import { route, VIEWS } from "./route.js";
import { watchTheme } from "./theme.js";

const STATES = { connecting: "connecting", live: "live", broken: "reconnecting" };
const HEALTH_SEEN_MS = 2_000;
const HEALTH_UNSEEN_MS = 10_000;

const main = document.getElementById("main");
const banner = document.getElementById("banner");
const connection = document.getElementById("connection");
const keys = keysDialog();
document.body.append(keys);

let waitsFor = "";
let problem = "";
let unseen = 0;
let dropped = 0;
let arrived = [];
const store = new AlertStore();
const views = { alerts: new AlertsView(store, () => waitsFor), markets: new MarketsView(), health: new HealthView() };
const announcer = new Announcer(document.getElementById("announcements"));
let shown = "";

function showRoute() {
  const { view, query } = route();
  if (view !== shown) {
    if (shown) views[shown].leave();
    shown = view;
    fill(main, views[view].node);
    main.dataset.view = view;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }
  views[view].enter(query);
  showTitle();
}

function showTitle() {
  document.title = `${unseen ? `(${count(unseen)}) ` : ""}${views[shown].title} · riskstream`;
}

function showBanner() {
  const texts = [];
  if (problem) texts.push(problem);
  else if (waitsFor) texts.push(`Waiting for ${waitsFor}. What is shown is what was known before.`);
  if (dropped) texts.push(`This browser was too slow for ${count(dropped)} events; the list was read anew.`);
  banner.hidden = texts.length === 0;
  const text = texts.join(" ");
  if (banner.textContent !== text) banner.textContent = text;
}

async function load() {
  try {
    await store.load(() => views.alerts.draw());
    problem = "";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    problem = error.message;
  }
  showBanner();
}

function reload() {
  load();
  views.markets.reload();
}

// What comes together is drawn together.
function takeAlert(row) {
  arrived.push(row);
  if (arrived.length > 1) return;
  setTimeout(() => {
    const rows = arrived;
    arrived = [];
    const fresh = rows.filter((one) => !store.byId.has(one.alert_id));
    announcer.take(fresh);
    if (document.hidden) unseen += fresh.length;
    views.alerts.take(rows);
    showTitle();
  }, 100);
}

openFeed({
  alert: takeAlert,
  bar: (point) => views.markets.take(point),
  dropped: (events) => {
    dropped += events;
    showBanner();
    reload();
  },
  reload,
  state: (state) => {
    connection.dataset.state = state;
    connection.lastElementChild.textContent = STATES[state];
  },
});

watchHealth((state, failed) => {
  waitsFor = state ? state.waits_for : waitsFor;
  problem = failed;
  const isBack = state && !failed && banner.hidden === false;
  views.health.draw(state, failed);
  showBanner();
  if (isBack && !store.rows.length) load();
}, () => (shown === "health" && !document.hidden ? HEALTH_SEEN_MS : HEALTH_UNSEEN_MS));

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  showTitle();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const isTyping = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
  if (isTyping && event.key !== "Escape") return;
  const at = ["1", "2", "3"].indexOf(event.key);
  if (at >= 0) location.hash = `#/${VIEWS[at]}`;
  else if (event.key === "?") keys.showModal();
  else if (event.key === "t") document.getElementById("theme").click();
  else if (!views[shown].key(event)) return;
  event.preventDefault();
});

document.getElementById("keys").addEventListener("click", () => keys.showModal());
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", showRoute);
watchTheme(() => views[shown].redraw());
showRoute();
load();
