/** The alerts that the reader has here: the newest first, as many as the server keeps. */

import { ask } from "./api.js";

const MOST = 2000;
const PAGE = 500;

export const SEVERITIES = ["critical", "high", "medium", "low"];
export const OUTCOMES = ["decline", "review", "approve"];
export const KINDS = ["customer", "symbol", "portfolio", "curve"];

/**
 * @typedef {{sequence: number, alert_id: string, event_id: string, entity_kind: string, entity_id: string,
 *   event_time_ms: number, arrived_ms: number, score: number, threshold: number, outcome: string, severity: string,
 *   reasons: {code: string, text: string}[]}} AlertRow
 */

export class AlertStore {
  constructor() {
    /** @type {AlertRow[]} */
    this.rows = [];
    /** @type {Map<string, AlertRow>} */
    this.byId = new Map();
    this.loaded = false;
    this.run = "";
  }

  /** Asks for all that the server keeps. @param {() => void} changed is called after each part of it. */
  async load(changed) {
    let before = null;
    do {
      const part = await ask(`/api/alerts?limit=${PAGE}${before ? `&before=${before}` : ""}`);
      // Numbers of another run of the server mean nothing beside its own.
      if (part.run !== this.run) this.clear();
      this.run = part.run;
      for (const row of part.alerts) this.byId.set(row.alert_id, row);
      this.#sort();
      before = part.before;
      this.loaded = true;
      changed();
    } while (before !== null);
  }

  /** @param {AlertRow[]} rows that came, the oldest first @returns {AlertRow[]} those that are new. */
  add(rows) {
    const fresh = rows.filter((row) => !this.byId.has(row.alert_id));
    for (const row of fresh) this.byId.set(row.alert_id, row);
    this.rows = [...fresh].reverse().concat(this.rows);
    for (const row of this.rows.splice(MOST)) this.byId.delete(row.alert_id);
    return fresh;
  }

  clear() {
    this.rows = [];
    this.byId.clear();
  }

  #sort() {
    this.rows = [...this.byId.values()].sort((one, other) => other.sequence - one.sequence).slice(0, MOST);
    this.byId = new Map(this.rows.map((row) => [row.alert_id, row]));
  }
}
