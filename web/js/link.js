/** The WebSocket: opens, reopens with growing pauses, and starts over after a sleep. */

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
const ALIVE_EVERY_MS = 1000;
/** A hand on the page keeps its person from being idle; it is told no more often than this. */
const ACTIVE_EVERY_MS = 15_000;
/** A timer that is this late means that the page was asleep and knows nothing of the gap. */
const ASLEEP_MS = 5000;
/** A socket that says nothing for this long is half open: heartbeats come each second. */
const SILENT_MS = 4000;

/**
 * @param {(message: import("./types.js").Message) => void} onMessage
 * @returns {{shown: (seq: number) => void}}
 */
export function openLink(onMessage) {
  /** @type {WebSocket|null} */
  let socket = null;
  let pauseMs = FIRST_PAUSE_MS;
  let lastHeardMs = performance.now();
  let lastAliveMs = performance.now();
  let lastActiveMs = -ACTIVE_EVERY_MS;
  let touched = false;

  const send = (/** @type {object} */ message) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };

  function connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const mine = new WebSocket(`${scheme}://${location.host}/api/live`);
    socket = mine;
    lastHeardMs = performance.now();
    mine.onmessage = (event) => {
      if (socket !== mine) return;
      lastHeardMs = performance.now();
      pauseMs = FIRST_PAUSE_MS;
      onMessage(JSON.parse(event.data));
    };
    mine.onclose = () => {
      if (socket !== mine) return;
      socket = null;
      setTimeout(connect, pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    };
  }

  function startOver() {
    const old = socket;
    socket = null;
    old?.close();
    connect();
  }

  setInterval(() => {
    const nowMs = performance.now();
    const asleep = nowMs - lastAliveMs > ASLEEP_MS;
    lastAliveMs = nowMs;
    send({ type: "alive" });
    if (touched && nowMs - lastActiveMs > ACTIVE_EVERY_MS) {
      touched = false;
      lastActiveMs = nowMs;
      send({ type: "active" });
    }
    if (socket && (asleep || nowMs - lastHeardMs > SILENT_MS)) startOver();
  }, ALIVE_EVERY_MS);

  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => (touched = true), { passive: true, capture: true });
  }
  connect();
  return { shown: (seq) => send({ type: "shown", seq }) };
}
