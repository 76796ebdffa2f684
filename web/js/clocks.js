/**
 * The clocks, in treatment time. They stand still with their snapshot and vanish when it is old.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Room} Room
 */
import { roomIsLive } from "./ages.js";
import { byId, setAttribute, setText } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./texts.js";

const AFTER = new Set(["drain", "rinse", "complete"]);

/** True when the treatment has ended. @param {string|null} phase */
export const isAfter = (phase) => phase !== null && AFTER.has(phase);

/**
 * The large clock: what is left, by how much it is over its time, or, afterwards, what was treated.
 * @param {Room|null} room
 */
export function largeClock(room) {
  const clocks = room?.session ? room.clocks : null;
  const left = clocks?.left_s;
  if (!room || !clocks || typeof left !== "number") return { time: clock(null), word: "" };
  if (isAfter(room.phase)) return { time: clock(clocks.elapsed_s), word: t.treatedTime };
  return { time: clock(Math.abs(left)), word: left < 0 ? t.overtime : t.left };
}

/**
 * When the next fraction is due, as the time until then or since then.
 * @param {Room|null} room
 */
function fractionClock(room) {
  const dueS = room?.clocks?.next_fraction_s;
  if (!room || typeof dueS !== "number" || isAfter(room.phase)) return clock(null);
  return dueS >= 0 ? t.fractionIn(clock(dueS)) : t.fractionLate(clock(-dueS));
}

/**
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawClocks(state, nowMs) {
  const live = roomIsLive(state, nowMs);
  const room = live && state.room?.session ? state.room : null;
  const clocks = room?.clocks;
  const large = largeClock(room);
  setText(byId("clock-left"), large.time);
  setText(byId("clock-left-word"), large.word);
  setText(byId("clock-in-band"), clock(clocks?.in_band_s));
  setText(byId("clock-out"), clock(clocks?.out_of_band_s));
  setText(byId("clock-unobserved"), clock(clocks?.unobserved_s));
  setText(byId("clock-phase"), clock(clocks?.phase_s));
  setText(byId("clock-contact"), clock(clocks?.contact_s));
  setText(byId("clock-fraction"), fractionClock(room));
  setAttribute(byId("clocks"), "data-age", live ? "fresh" : "gone");
  setText(byId("clock-gate"), live ? gateWords(state) : t.noLiveValues);
}

/** @param {PageState} state */
function gateWords(state) {
  const room = state.room;
  if (!room?.session) return t.noSession;
  if (typeof room.clocks?.contact_s === "number") return "";
  const gate = room.gate;
  if (!gate) return t.notStarted;
  return gate.open ? t.gateOpen : t.gateHeld(gate.text, clock(gate.held_s), clock(gate.hold_s));
}
