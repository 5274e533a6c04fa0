/** A small line without axes: how a number went lately. */

import { drawing } from "./element.js";

/**
 * @param {(number|null)[]} values the oldest first; null leaves a gap
 * @param {{width?: number, height?: number, label?: string, fromZero?: boolean}} [how]
 * @returns {SVGElement}
 */
export function sparkline(values, { width = 120, height = 28, label = "", fromZero = false } = {}) {
  const known = values.filter((one) => one !== null && Number.isFinite(one));
  const low = Math.min(fromZero ? 0 : Infinity, ...known);
  const high = Math.max(...known, low + 1e-12);
  const x = (at) => 1 + ((width - 2) * at) / Math.max(1, values.length - 1);
  const y = (value) => height - 2 - ((height - 4) * (value - low)) / (high - low);
  let path = "";
  let isOn = false;
  values.forEach((value, at) => {
    if (value === null || !Number.isFinite(value)) isOn = false;
    else {
      path += `${isOn ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      isOn = true;
    }
  });
  return drawing("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none",
    ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) },
  drawing("path", { d: path, "vector-effect": "non-scaling-stroke" }));
}
