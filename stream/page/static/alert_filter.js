/** Which alerts the reader wants to see; the same words as the server's, and it stands in the address. */

/**
 * @typedef {{kinds: Set<string>, severities: Set<string>, outcomes: Set<string>, reasons: Set<string>,
 *   entity: string, text: string}} AlertFilter
 */

const FIELDS = { entity_kind: "kinds", severity: "severities", outcome: "outcomes", reason: "reasons" };

/** @param {URLSearchParams} query @returns {AlertFilter} */
export function filterOf(query) {
  const filter = { entity: query.get("entity") ?? "", text: query.get("text") ?? "" };
  for (const [name, field] of Object.entries(FIELDS)) {
    filter[field] = new Set((query.get(name) ?? "").split(",").filter(Boolean));
  }
  return filter;
}

/** @param {AlertFilter} filter @returns {URLSearchParams} */
export function queryOf(filter) {
  const query = new URLSearchParams();
  for (const [name, field] of Object.entries(FIELDS)) {
    if (filter[field].size) query.set(name, [...filter[field]].join(","));
  }
  if (filter.entity) query.set("entity", filter.entity);
  if (filter.text) query.set("text", filter.text);
  return query;
}

/** @param {AlertFilter} filter @returns {boolean} whether it asks for nothing. */
export function isEmpty(filter) {
  return queryOf(filter).size === 0;
}

/**
 * @param {AlertFilter} filter
 * @param {import("./alert_store.js").AlertRow} row
 * @param {string} [without] the field that is left out, as a count of what else could be chosen there wants.
 */
export function takes(filter, row, without = "") {
  const text = filter.text.toLowerCase();
  return (
    (without === "kinds" || !filter.kinds.size || filter.kinds.has(row.entity_kind)) &&
    (without === "severities" || !filter.severities.size || filter.severities.has(row.severity)) &&
    (without === "outcomes" || !filter.outcomes.size || filter.outcomes.has(row.outcome)) &&
    (without === "reasons" || !filter.reasons.size || row.reasons.some((one) => filter.reasons.has(one.code))) &&
    (!filter.entity || row.entity_id === filter.entity) &&
    (!text || searched(row).includes(text))
  );
}

function searched(row) {
  const reasons = row.reasons.map((one) => `${one.code}\n${one.text}`);
  return [row.entity_id, row.event_id, row.alert_id, ...reasons].join("\n").toLowerCase();
}
