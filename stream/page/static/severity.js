/** A severity: a meter of four steps and the word, so that it does not hang on colour. */

import { drawing, element } from "./element.js";

const STEPS = { low: 1, medium: 2, high: 3, critical: 4 };

/** @param {string} severity @returns {SVGElement} */
export function severityMeter(severity) {
  const steps = STEPS[severity] ?? 0;
  const bars = [0, 1, 2, 3].map((at) =>
    drawing("rect", { x: at * 5, y: 12 - 3 * at - 3, width: 3.5, height: 3 * at + 3, rx: 1, class: at < steps ? "on" : "off" }),
  );
  return drawing("svg", { class: "meter", "data-severity": severity, viewBox: "0 0 19 12", width: 19, height: 12, "aria-hidden": "true" }, ...bars);
}

/** @param {string} severity @returns {HTMLElement} */
export function severityMark(severity) {
  return element("span", { class: "severity", "data-severity": severity }, severityMeter(severity), severity);
}
