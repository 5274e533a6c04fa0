/** Numbers as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** @param {number|null|undefined} value @returns {string} */
export const count = (value) => (isKnown(value) ? whole.format(value) : "–");

/** @param {number|null|undefined} value @returns {string} such as 12.3K. */
export const brief = (value) => (isKnown(value) ? (Math.abs(value) < 10_000 ? count(value) : compact.format(value)) : "–");

/** @param {number|null|undefined} value @param {number} digits after the point @returns {string} */
export function fixed(value, digits) {
  if (!isKnown(value)) return "–";
  return minus(value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

/** @param {number|null|undefined} value @param {number} digits that count @returns {string} */
export function significant(value, digits = 4) {
  if (!isKnown(value)) return "–";
  return minus(value.toLocaleString("en", { maximumSignificantDigits: digits }));
}

/** @param {number} value @returns {string} with its sign, to four places. */
export function signed(value) {
  const text = fixed(Math.abs(value), 4);
  return value > 0 ? `+${text}` : value < 0 ? `−${text}` : text;
}

/** @param {number|null|undefined} value a second @returns {string} */
export const rate = (value) => (isKnown(value) ? (value < 10 ? fixed(value, 1) : brief(value)) : "–");

/** @param {number|null|undefined} value in milliseconds @returns {string} with its unit. */
export function milliseconds(value) {
  if (!isKnown(value)) return "–";
  return value < 1000 ? `${significant(value, value < 10 ? 2 : 3)} ms` : `${significant(value / 1000, 3)} s`;
}

function minus(text) {
  return text.replace("-", "−");
}

function isKnown(value) {
  return typeof value === "number" && Number.isFinite(value);
}
