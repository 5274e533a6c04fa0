/** Names that strangers chose, as they can be shown: without what steers a browser's text, and cut where too long. */

// Controls, and the marks that turn the direction of what follows them.
const STEERING = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;

/** @param {string} name @returns {string} */
export function printable(name) {
  return name.replace(STEERING, "\ufffd");
}

/** @param {string} name @param {number} most letters @returns {string} */
export function short(name, most = 64) {
  if (name.length <= most) return printable(name);
  return `${printable(Array.from(name.slice(0, 2 * most)).slice(0, most).join(""))}…`;
}

/** @param {string} feature @returns {string} its name in words. */
export function featureName(feature) {
  const words = printable(feature).replace(/_(\d+)d$/, (_, days) => (days === "1" ? ", 1 day" : `, ${days} days`));
  return words.replaceAll("_", " ");
}

/** @param {string} code of a reason @returns {string} it in words. */
export function reasonName(code) {
  const words = featureName(code.toLowerCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}
