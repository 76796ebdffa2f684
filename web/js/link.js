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
 * @typedef {object} Shown
 * @property {number} seq
 * @property {string} id
 * @property {string} occurrence
 * @property {number} latency_ms from the alarm's arrival to its paint
 *
 * @typedef {object} Options
 * @property {boolean} [watched] whether the room may count on this page as a display
 * @property {() => boolean} [isLive] whether what this page shows is live; else it is no display
 * @property {() => boolean} [audible] whether a person has heard this page's sound and it runs
 * @property {(awayMs: number) => void} [onAway] after a sleep or a cut, when it hears again
 */

/**
 * @param {(message: import("./types.js").Message) => void} onMessage
 * @param {Options} [options]
 * @returns {{shown: (shown: Shown) => void}}
 */
export function openLink(onMessage, options = {}) {
  /** @type {WebSocket|null} */
  let socket = null;
  let pauseMs = FIRST_PAUSE_MS;
  let lastHeardMs = performance.now();
  let lastMessageMs = performance.now();
  let lastAliveMs = performance.now();
  let lastActiveMs = -ACTIVE_EVERY_MS;
  let touched = false;

  /** Timers of hidden pages are slowed down; the server's heartbeat wakes us all the same. */
  const alive = () => {
    if (options.watched === false || options.isLive?.() === false) return;
    const visible = document.visibilityState === "visible";
    send({ type: "alive", audible: options.audible?.() ?? false, visible });
  };
  document.addEventListener("visibilitychange", alive);

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
      const nowMs = performance.now();
      const awayMs = nowMs - lastMessageMs;
      lastHeardMs = lastMessageMs = nowMs;
      pauseMs = FIRST_PAUSE_MS;
      const message = JSON.parse(event.data);
      onMessage(message);
      if (message.type === "heartbeat") alive();
      if (awayMs > ASLEEP_MS) options.onAway?.(awayMs);
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
    alive();
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
  return { shown: (shown) => send({ type: "shown", ...shown }) };
}
