/** Tells those who do not see the list what came, seldom enough to bear. */

const EVERY_MS = 15_000;

export class Announcer {
  /** @param {HTMLElement} node a live region */
  constructor(node) {
    this.node = node;
    this.alerts = 0;
    this.critical = 0;
    setInterval(() => this.#tell(), EVERY_MS);
  }

  /** @param {{severity: string}[]} rows that came */
  take(rows) {
    this.alerts += rows.length;
    this.critical += rows.filter((row) => row.severity === "critical").length;
  }

  #tell() {
    if (!this.alerts) return;
    const critical = this.critical ? `, ${this.critical} critical` : "";
    this.node.textContent = `${this.alerts} new ${this.alerts === 1 ? "alert" : "alerts"}${critical}`;
    this.alerts = this.critical = 0;
  }
}
