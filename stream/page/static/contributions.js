/** What a score is made of: every feature's value, what is usual, and how far it moved the score, as a waterfall. */

import { drawing, element } from "./element.js";
import { featureName } from "./names.js";
import { fixed, signed, significant } from "./numbers.js";

const SHOWN = 9;
const WIDTH = 200;
const HEIGHT = 18;

/**
 * @param {any} detail of an alert, as the server gives it
 * @returns {HTMLElement}
 */
export function contributions(detail) {
  const { alert, features } = detail;
  let level = alert.usual_score;
  const steps = features.map((one) => {
    const from = level;
    level += one.contribution;
    return { ...one, from, to: level };
  });
  const levels = [alert.usual_score, alert.score, alert.threshold, ...steps.map((step) => step.to)];
  const low = Math.min(0, ...levels);
  const high = Math.max(...levels);
  const scale = (value) => (WIDTH - 4) * ((value - low) / (high - low || 1)) + 2;
  const left = steps.slice(SHOWN);
  const rest = left.length
    ? element("tr", { class: "rest" }, element("th", { scope: "row" }, `${left.length} more features`), element("td"), element("td"),
        contribution(left.reduce((sum, one) => sum + one.contribution, 0)),
        element("td", { class: "fall" }, waterfall(left[0].from, alert.score, alert.threshold, scale)))
    : null;
  const hidden = left.map((one) => featureRow(one, alert.threshold, scale));
  const body = element("tbody", {},
    levelRow("Usual score", alert.usual_score, alert.threshold, scale, "usual"),
    ...steps.slice(0, SHOWN).map((one) => featureRow(one, alert.threshold, scale)),
    rest,
    levelRow("Score", alert.score, alert.threshold, scale, "score"));
  const all = left.length
    ? element("button", { type: "button", class: "quiet", on: { click: () => {
        rest.replaceWith(...hidden);
        all.remove();
      } } }, `Show all ${steps.length} features`)
    : null;
  return element("div", { class: "contributions" },
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "What the score is made of" },
      element("table", {},
        element("thead", {}, element("tr", {},
          element("th", { scope: "col" }, "Feature"), element("th", { scope: "col", class: "number" }, "Value"),
          element("th", { scope: "col", class: "number" }, "Usual"), element("th", { scope: "col", class: "number" }, "Adds"),
          element("th", { scope: "col", class: "fall" }, element("span", { class: "unseen-text" }, "As a waterfall; the line is the threshold")))),
        body)),
    element("div", { class: "beneath" }, detail.sum ? sumText(detail.sum) : null, all));
}

function featureRow(one, threshold, scale) {
  return element("tr", {},
    element("th", { scope: "row" }, featureName(one.feature)),
    element("td", { class: "number" }, significant(one.value)),
    element("td", { class: "number soft" }, one.usual_value === null ? "" : significant(one.usual_value)),
    contribution(one.contribution),
    element("td", { class: "fall" }, waterfall(one.from, one.to, threshold, scale)));
}

function levelRow(name, level, threshold, scale, kind) {
  return element("tr", { class: `level ${kind}` },
    element("th", { scope: "row" }, name), element("td"), element("td"),
    element("td", { class: "number" }, fixed(level, 4)),
    element("td", { class: "fall" }, waterfall(0, level, threshold, scale, kind)));
}

function contribution(value) {
  return element("td", { class: `number ${value > 0 ? "up" : value < 0 ? "down" : ""}` }, signed(value));
}

function waterfall(from, to, threshold, scale, kind = to >= from ? "up" : "down") {
  const x = Math.min(scale(from), scale(to));
  return drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("line", { class: "threshold", x1: scale(threshold), x2: scale(threshold), y1: 0, y2: HEIGHT }),
    drawing("rect", { class: kind, x, y: 4, width: Math.max(1.5, Math.abs(scale(to) - scale(from))), height: HEIGHT - 8, rx: 1.5 }));
}

function sumText(sum) {
  const total = `usual ${fixed(sum.usual_score, 4)} ${signed(sum.contributions)} = ${fixed(sum.score, 4)}`;
  return sum.holds
    ? element("p", { class: "sum holds" }, element("span", { "aria-hidden": "true" }, "✓ "), `It adds up: ${total}`)
    : element("p", { class: "sum fails" }, `It does not add up: ${total} misses the score by ${signed(sum.missed)}`);
}
