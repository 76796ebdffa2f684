/**
 * How old a value is by the browser's own clock, and what may therefore be shown.
 * First grey, then no number: an old value that looks alive is worse than none.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").Reading} Reading
 */
import { t } from "./texts.js";

/**
 * Heartbeats come once a second; after this long without one the page says it has no link: two are
 * missed, and what is drawn every quarter of a second still stands there within three.
 */
export const HEARTBEAT_LIMIT_MS = 2700;

/**
 * @param {PageState} state
 * @param {number} nowMs
 * @returns {"connecting"|"live"|"lost"}
 */
export function connection(state, nowMs) {
  if (state.beatMs === null) return nowMs > HEARTBEAT_LIMIT_MS ? "lost" : "connecting";
  return nowMs - state.beatMs > HEARTBEAT_LIMIT_MS ? "lost" : "live";
}

/**
 * The room's clock (ns) by the page's own: the snapshot that came soonest set it, so it is behind
 * by as much as that one was under way.
 * @param {PageState} state
 * @param {number} nowMs
 * @returns {number|null}
 */
export function roomNs({ soonestMs }, nowMs) {
  return soonestMs === null ? null : Math.max(0, Math.round((nowMs - soonestMs) * 1e6));
}

/**
 * What the room said as a whole (clocks, set-points, advice) is as old as its snapshot; and a
 * snapshot without heartbeats comes from a room whose control process has stopped.
 * @param {PageState} state
 * @param {number} nowMs
 */
export function roomIsLive(state, nowMs) {
  if (state.snapshotMs === null || connection(state, nowMs) !== "live") return false;
  return nowMs - state.snapshotMs <= HEARTBEAT_LIMIT_MS;
}

/**
 * @param {Channel} channel
 * @param {number} nowMs
 * @returns {import("./types.js").Age}
 */
function ageOf(channel, nowMs) {
  if (channel.receivedMs === null) return "gone";
  const ageS = (nowMs - channel.receivedMs) / 1000;
  if (ageS > channel.gone_s) return "gone";
  return ageS > channel.grey_s ? "grey" : "fresh";
}

/**
 * The value that may be shown now, or none and the reason in words.
 * @param {PageState} state
 * @param {Channel} channel
 * @param {number} nowMs
 * @returns {Reading}
 */
export function readingOf(state, channel, nowMs) {
  const age = ageOf(channel, nowMs);
  if (age === "gone") {
    const lost = state.room?.devices[channel.device]?.link === "lost";
    const reason = whyGone(state, channel, nowMs);
    return lost ? { value: null, age, reason, short: t.linkLost } : { value: null, age, reason };
  }
  const shown = channel.validity === "valid" || channel.validity === "questionable";
  if (!shown || channel.value === null) {
    return { value: null, age: "gone", reason: channel.reason || t.validity[channel.validity] };
  }
  const reason = channel.validity === "questionable" ? channel.reason || t.questionable : "";
  return { value: channel.value, age, reason };
}

/**
 * The reason in small places: the loss of everything is said once, large.
 * @param {PageState} state
 * @param {Reading} reading
 * @param {number} nowMs
 */
export function ownReason(state, reading, nowMs) {
  if (reading.value !== null || connection(state, nowMs) === "lost") return "";
  return reading.short ?? reading.reason;
}

/**
 * @param {PageState} state
 * @param {Channel} channel
 * @param {number} nowMs
 */
function whyGone(state, channel, nowMs) {
  if (connection(state, nowMs) === "lost") return t.noConnectionShort;
  const device = state.room?.devices[channel.device];
  if (device && device.link === "lost") return t.deviceLost(channel.device);
  if (channel.receivedMs === null) return t.notYetRead;
  return t.noValueFor(Math.floor((nowMs - channel.receivedMs) / 1000));
}
