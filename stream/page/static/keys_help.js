/** The dialog that shows the keys. */

import { element } from "./element.js";

const KEYS = [
  ["1 2 3", "Alerts, markets, health"],
  ["j k or ↓ ↑", "Next, previous alert or symbol"],
  ["Enter", "Open the alert"],
  ["Esc", "Close it; leave the search"],
  ["/", "Search"],
  ["n", "Show the new ones that wait"],
  ["p", "Hold the list, or let it go"],
  ["t", "Other theme"],
  ["?", "This help"],
];

/** @returns {HTMLDialogElement} */
export function keysDialog() {
  const dialog = element("dialog", { class: "keys", "aria-labelledby": "keys-title" },
    element("h2", { id: "keys-title" }, "Keys"),
    element("dl", {}, ...KEYS.flatMap(([key, meaning]) => [element("dt", {}, ...key.split(" ").map((one) => (one === "or" ? " or " : element("kbd", {}, one)))), element("dd", {}, meaning)])),
    element("p", { class: "soft" }, "The list holds still while you point at it, move along it, or have scrolled down."),
    element("form", { method: "dialog" }, element("button", { autofocus: true }, "Close")));
  return dialog;
}
