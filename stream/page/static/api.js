/** Asks the server. */

/** What went wrong, in words a reader can act on. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the answer; without a session the reader is led to the login.
 */
export async function ask(path, signal) {
  let reply;
  try {
    reply = await fetch(path, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The page's server does not answer. Is riskstream page still running?", 0);
  }
  if (reply.status === 401) {
    location.assign("/login");
    throw new ApiError("Log in again.", 401);
  }
  if (reply.ok) return reply.json();
  const told = await reply.json().catch(() => null);
  throw new ApiError(told?.error ? `Not found or not possible: ${told.error.remedy}.` : `The server answered with status ${reply.status}.`, reply.status);
}
