/** The traffic light of a value at risk, in a word, a shape and a colour. */

import { element } from "./element.js";

const SHAPES = { green: "●", yellow: "▲", red: "■" };

/** @param {string|null} zone @returns {HTMLElement} */
export function zoneMark(zone) {
  if (!zone) return element("span", { class: "zone", title: "The zone is known after 250 bars" }, "no zone yet");
  return element("span", { class: "zone", "data-zone": zone, title: "Basel traffic light of the 99 % value at risk" },
    element("span", { "aria-hidden": "true" }, SHAPES[zone] ?? ""), ` ${zone}`);
}
