/**
 * The core with its slope and its ladder; inflow, abdominal pressure, volume kept; room and mode.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").CoreStep} CoreStep
 */
import { connection, readingOf, roomIsLive } from "./ages.js";
import { byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { channelsOf, coreChannel, inflowChannel } from "./figures.js";
import { DASH, fixed, litres } from "./format.js";
import { channelName, t } from "./texts.js";

const STEADY_C = 0.05;

/** The core channel that decides: as the room says, or as configured before it has said.
 * @param {PageState} state */
export function decidingCore(state) {
  const named = state.room?.core?.channel;
  return (named ? state.channels[named] : undefined) ?? coreChannel(state);
}

/** @param {PageState} state @param {number} nowMs */
export function drawFigures(state, nowMs) {
  const live = roomIsLive(state, nowMs);
  drawCore(state, nowMs, live);
  drawOne(state, inflowChannel(state), "inflow", 1, nowMs, inflowWords(state, live));
  const iap = channelsOf(state, ["iap"])[0];
  drawOne(state, iap, "iap", 0, nowMs, "");
  const volumes = live && state.room?.session ? state.room.volumes : null;
  setText(byId("value-kept"), volumes ? litres(volumes.retained_ml) : DASH);
  const words = volumes ? t.team.inAndOut(litres(volumes.in_ml), litres(volumes.out_ml)) : "";
  setText(byId("under-kept"), words);
}

/** @param {PageState} state @param {boolean} live */
function inflowWords(state, live) {
  const heat = live ? state.room?.heat : undefined;
  if (heat && !heat.on) return t.team.heldHeat;
  const granted = heat?.granted_c;
  return typeof granted === "number" ? t.setTo(fixed(granted, 1)) : t.noSet;
}

/**
 * @param {PageState} state
 * @param {import("./types.js").Channel|undefined} channel
 * @param {string} name
 * @param {number} decimals
 * @param {number} nowMs
 * @param {string} under
 */
function drawOne(state, channel, name, decimals, nowMs, under) {
  const gone = /** @type {const} */ ("gone");
  const reading = channel
    ? readingOf(state, channel, nowMs)
    : { value: null, age: gone, reason: t.notConfigured };
  setText(byId(`value-${name}`), reading.value === null ? DASH : fixed(reading.value, decimals));
  setAttribute(byId(`value-${name}`), "data-age", reading.age);
  setText(byId(`under-${name}`), reading.value === null ? reading.reason : under);
}

/** @param {PageState} state @param {number} nowMs @param {boolean} live */
function drawCore(state, nowMs, live) {
  const channel = decidingCore(state);
  const reading = channel ? readingOf(state, channel, nowMs) : null;
  setText(byId("core-site"), channel ? channelName(channel) : "");
  setText(byId("value-core"), fixed(reading?.value, 1));
  setAttribute(byId("value-core"), "data-age", reading?.age ?? "gone");
  const course = live ? (state.room?.core ?? null) : null;
  const byHand =
    course && course.by_hand_c !== null
      ? t.team.byHand(fixed(course.by_hand_c, 1), course.by_hand_site)
      : "";
  const why = channel ? (reading?.reason ?? "") : t.noCore;
  setText(byId("core-why"), [why, byHand].filter(Boolean).join(" · "));
  setText(byId("core-rate"), course ? rateWords(course.rate_c_per_10_min) : "");
  drawLadder(course?.steps ?? [], reading?.value ?? null);
  drawWhere(state, nowMs);
}

/** @param {number|null} rate °C in ten minutes */
export function rateWords(rate) {
  if (rate === null) return t.team.rateUnknown;
  const sign =
    Math.abs(rate) < STEADY_C ? t.team.steady : rate > 0 ? t.team.rising : t.team.falling;
  return t.team.rate(sign, fixed(Math.abs(rate), 1));
}

/** @param {CoreStep[]} steps @param {number|null} value */
function drawLadder(steps, value) {
  const ladder = byId("ladder");
  rebuildOnChange(ladder, steps.map((step) => step.limit_c).join() || "none", () =>
    steps.map((step) =>
      make(
        "li",
        {},
        make("b", { text: fixed(step.limit_c, 1) }),
        make("span", { "data-testid": `reach-${step.limit_c}` }),
        make("span", { "data-testid": `above-${step.limit_c}` }),
      ),
    ),
  );
  steps.forEach((step, at) => {
    const row = /** @type {Element} */ (ladder.children[at]);
    const reached = value !== null && value >= step.limit_c;
    setAttribute(row, "data-reached", String(reached));
    setText(/** @type {Element} */ (row.children[1]), reachWords(step, reached, at === 0));
    setText(/** @type {Element} */ (row.children[2]), t.team.above(step.above_min.toFixed(0)));
  });
}

/**
 * @param {CoreStep} step
 * @param {boolean} reached
 * @param {boolean} shownOnly the first step is shown and alarms nobody
 */
export function reachWords({ from_s, to_s }, reached, shownOnly) {
  if (reached) return shownOnly ? `${t.team.reached} · ${t.team.shownOnly}` : t.team.reached;
  if (shownOnly) return t.team.shownOnly;
  if (from_s === null) return t.team.notWithinTheHour;
  const minutes = (/** @type {number} */ seconds) => String(Math.max(0, Math.round(seconds / 60)));
  if (to_s === null) return t.team.inAtLeast(minutes(from_s));
  return t.team.inRange(minutes(from_s), minutes(to_s));
}

/** @param {PageState} state @param {number} nowMs */
function drawWhere(state, nowMs) {
  const words = /** @type {Record<string, string>} */ (t.modeMark);
  setText(byId("mode-word"), words[state.mode] ?? "");
  const speed = state.room?.speed ?? 1;
  setText(byId("mode-speed"), speed === 1 ? "" : t.speedMark(speed));
  setText(byId("room-name"), state.id);
  const connected = connection(state, nowMs);
  const said = { live: t.connected, connecting: t.connecting, lost: t.noConnectionMark };
  setText(byId("connection"), said[connected]);
  setAttribute(byId("connection"), "data-state", connected);
  setText(byId("who"), state.you === null ? "" : state.you.name || t.team.signIn);
  setText(byId("room-protocol"), state.room?.title ?? "");
  if (state.id) document.title = t.team.pageTitle(state.id);
}
