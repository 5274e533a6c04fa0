/** Where the reader is: it all stands in the address, so that a view can be shared and gone back to. */

export const VIEWS = ["alerts", "markets", "health"];

/** @returns {{view: string, query: URLSearchParams}} */
export function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { view: VIEWS.includes(path) ? path : "alerts", query: new URLSearchParams(query) };
}

/**
 * @param {string} view
 * @param {URLSearchParams} query
 * @param {{replace?: boolean}} [how] replace leaves no step to go back to.
 */
export function go(view, query, { replace = false } = {}) {
  const text = query.toString();
  const hash = `#/${view}${text ? `?${text}` : ""}`;
  if (hash === location.hash) return;
  if (replace) {
    history.replaceState(null, "", hash);
    dispatchEvent(new Event("hashchange"));
  } else location.hash = hash;
}
