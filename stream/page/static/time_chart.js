/** A chart over time by uPlot, in the page's colours, with what the pointer is at told above it. */

import uPlot from "./uPlot.esm.js";
import { element, fill } from "./element.js";
import { significant } from "./numbers.js";
import { colour } from "./theme.js";
import { local } from "./times.js";

const HEIGHT = 180;

/**
 * @typedef {{label: string, colour: string, kind: "line"|"bars"|"points", text: (value: number|null) => string}} Series
 */

export class TimeChart {
  /**
   * @param {string} title
   * @param {Series[]} series
   * @param {string} syncKey charts of one key share the pointer
   * @param {string} [unit] said beside the numbers of the axis
   */
  constructor(title, series, syncKey, unit = "") {
    this.unit = unit;
    this.series = series;
    this.syncKey = syncKey;
    this.data = null;
    this.plot = null;
    this.readout = element("p", { class: "readout" });
    this.canvas = element("div", { class: "canvas", role: "img", "aria-label": title });
    this.node = element("figure", { class: "chart" }, element("figcaption", {}, element("h3", {}, title), this.readout), this.canvas);
    new ResizeObserver(() => {
      const width = this.canvas.clientWidth;
      if (width && this.plot && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
      else if (width && !this.plot && this.data) this.redraw();
    }).observe(this.canvas);
  }

  /** @param {(number|null)[][]} data times in seconds, then the values of each series */
  show(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else this.redraw();
    this.#tell(null);
  }

  /** Draws it anew, as after a change of the theme. */
  redraw() {
    this.plot?.destroy();
    this.plot = null;
    const width = this.canvas.clientWidth;
    if (!width || !this.data) return;
    const ink = colour("--soft");
    const grid = { stroke: colour("--line"), width: 1 };
    const axis = { stroke: ink, grid, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    this.plot = new uPlot({
      width,
      height: HEIGHT,
      cursor: { sync: { key: this.syncKey }, y: false, points: { size: 6 }, drag: { x: true, y: false } },
      legend: { show: false },
      scales: { x: { time: true } },
      axes: [
        { ...axis, size: 30, values: (_, seconds) => atSeconds(seconds) },
        { ...axis, size: 66, values: (_, values) => values.map((one) => significant(one, 6) + this.unit) },
      ],
      series: [{}, ...this.series.map((one) => this.#style(one))],
      hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? null)] },
    }, this.data, this.canvas);
  }

  #style({ label, colour: variable, kind }) {
    const stroke = colour(variable);
    if (kind === "points") return { label, paths: () => null, points: { show: true, size: 9, stroke, fill: stroke } };
    if (kind === "bars") return { label, stroke, fill: stroke, width: 0, paths: uPlot.paths.bars({ size: [0.7, 8] }), points: { show: false } };
    return { label, stroke, width: 1.75, points: { show: false } };
  }

  #tell(at) {
    const shown = at ?? this.data[0].length - 1;
    if (shown < 0) return;
    const told = this.series.map((one, index) => {
      const value = this.data[index + 1][shown];
      if (one.kind === "points" && value === null) return null;
      return element("span", {}, element("i", { class: one.kind, "data-colour": one.colour.slice(2) }), `${one.label} `, element("b", {}, one.text(value)));
    });
    fill(this.readout, ...told, element("span", { class: "soft" }, local(1000 * this.data[0][shown])));
  }
}

function atSeconds(seconds) {
  const isOfDays = seconds.length > 1 && seconds[1] - seconds[0] >= 86_400;
  const shown = isOfDays ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit", hour12: false };
  return seconds.map((one) => new Date(1000 * one).toLocaleString(undefined, shown));
}
