/**
 * The clocks, in treatment time. They stand still with their snapshot and vanish when it is old.
 *
 * @typedef {import("./types.js").PageState} PageState
 */
import { roomIsLive } from "./ages.js";
import { byId, setAttribute, setText } from "./dom.js";
import { clock } from "./format.js";
import { t } from "./texts.js";

/**
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawClocks(state, nowMs) {
  const live = roomIsLive(state, nowMs);
  const clocks = live && state.room?.session ? state.room.clocks : null;
  const left = clocks?.left_s;
  const over = typeof left === "number" && left < 0;
  setText(byId("clock-left"), clock(over ? -left : left));
  setText(byId("clock-left-word"), typeof left === "number" ? (over ? t.overtime : t.left) : "");
  setText(byId("clock-in-band"), clock(clocks?.in_band_s));
  setText(byId("clock-out"), clock(clocks?.out_of_band_s));
  setText(byId("clock-unobserved"), clock(clocks?.unobserved_s));
  setText(byId("clock-phase"), clock(clocks?.phase_s));
  setText(byId("clock-contact"), clock(clocks?.contact_s));
  setText(byId("clock-fraction"), clock(clocks?.next_fraction_s));
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
