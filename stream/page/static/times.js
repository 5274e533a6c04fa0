/** Times as people read them: local ones, with UTC for whoever points at them. */

import { element } from "./element.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });

/** @param {number} ms since the epoch @returns {string} in UTC, to the millisecond. */
export function utc(ms) {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? "unknown" : `${at.toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** @param {number} ms since the epoch @returns {string} the local time, with the day unless it is today. */
export function local(ms) {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return "unknown";
  const now = new Date();
  if (at.toDateString() === now.toDateString()) return clock.format(at);
  const date = at.getFullYear() === now.getFullYear() ? day.format(at) : dayOfYear.format(at);
  return `${date}, ${clock.format(at)}`;
}

/** @param {number} seconds @returns {string} such as 12 s, 4 min, 3 h or 5 days. */
export function span(seconds) {
  const past = Math.max(0, Math.round(seconds));
  if (past < 60) return `${past} s`;
  if (past < 3600) return `${Math.floor(past / 60)} min`;
  if (past < 48 * 3600) return `${Math.floor(past / 3600)} h`;
  return `${Math.floor(past / 86_400)} days`;
}

/** @param {number} ms since the epoch @returns {string} how long ago that is. */
export function ago(ms) {
  const seconds = (Date.now() - ms) / 1000;
  return seconds < 1 ? "now" : `${span(seconds)} ago`;
}

/** @param {number} ms since the epoch @param {string} [label] said before UTC @returns {HTMLElement} */
export function localTime(ms, label = "") {
  const at = new Date(ms);
  const shown = Number.isNaN(at.getTime());
  return element("time", { datetime: shown ? null : at.toISOString(), title: `${label}${utc(ms)}` }, local(ms));
}
