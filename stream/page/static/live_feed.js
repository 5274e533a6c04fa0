/** The live connection: server-sent events, taken up again by themselves when they break off. */

const LONGEST_WAIT_MS = 15_000;

/**
 * @typedef {object} Listeners
 * @property {(row: any) => void} alert
 * @property {(point: any) => void} bar
 * @property {(events: number) => void} dropped
 * @property {() => void} reload what is shown has to be asked for anew.
 * @property {(state: "connecting"|"live"|"broken") => void} state
 */

/** @param {Listeners} listeners */
export function openFeed(listeners) {
  let run = null;
  let failures = 0;
  connect();

  function connect() {
    const source = new EventSource("/events");
    source.addEventListener("hello", (event) => {
      const hello = JSON.parse(event.data);
      if (run !== null && hello.run !== run) listeners.reload();
      run = hello.run;
      failures = 0;
      listeners.state("live");
    });
    source.addEventListener("alert", (event) => listeners.alert(JSON.parse(event.data)));
    source.addEventListener("bar", (event) => listeners.bar(JSON.parse(event.data)));
    source.addEventListener("dropped", (event) => listeners.dropped(JSON.parse(event.data).events));
    source.addEventListener("lost", () => listeners.reload());
    source.addEventListener("error", () => {
      listeners.state("broken");
      if (source.readyState !== EventSource.CLOSED) return;
      // The server refused, and the browser does not try again by itself: nor does it know what it had last.
      source.close();
      failures += 1;
      setTimeout(() => {
        listeners.state("connecting");
        if (run !== null) listeners.reload();
        connect();
      }, Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures));
    });
  }
}
