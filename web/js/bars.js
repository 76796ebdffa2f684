/**
 * A vertical bar for each temperature: the target as a fixed zone, the ceiling as a hard line,
 * the value as a mark and the last five minutes as a tail.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {{group: typeof BAR_GROUPS[number], channels: Channel[],
 *   canvas: HTMLCanvasElement}} Drawn
 */
import { ownReason, readingOf } from "./ages.js";
import { drawScale, prepare } from "./barcanvas.js";
import { byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { BAR_GROUPS, channelsOf } from "./figures.js";
import { DASH, fixed } from "./format.js";
import { lookOf } from "./hues.js";
import { hookOf } from "./numbers.js";
import { channelName, shortName } from "./texts.js";

/** Channels that the curve leaves out, by id; a press on a bar's name changes it. */
/** @type {Map<string, boolean>} */
const chosen = new Map();

/** @type {Drawn[]} */
let drawn = [];

/** @param {Channel} channel @param {number} index */
export const isOnCurve = (channel, index) => chosen.get(channel.id) ?? lookOf(channel, index).shown;

/**
 * Numbers and reasons below and in the bars: cheap, drawn with every frame.
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawBarValues(state, nowMs) {
  const groups = BAR_GROUPS.map((group) => ({ group, channels: channelsOf(state, group.roles) }));
  const filled = groups.filter((one) => one.channels.length);
  const key = filled.flatMap((one) => one.channels.map((channel) => channel.id)).join();
  rebuildOnChange(byId("bars"), key, () => filled.map(buildGroup));
  for (const one of filled) {
    for (const channel of one.channels) writeValue(state, channel, nowMs);
  }
  drawn = drawn.map((one, index) => ({ ...one, channels: filled[index]?.channels ?? [] }));
}

/** @param {{group: typeof BAR_GROUPS[number], channels: Channel[]}} one @param {number} place */
function buildGroup({ group, channels }, place) {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", { "aria-hidden": "true" }));
  if (place === 0) drawn = [];
  drawn.push({ group, channels, canvas });
  const perRole = channels.map((channel) =>
    channels.filter((other) => other.role === channel.role).indexOf(channel),
  );
  const bars = channels.map((channel, index) => buildBar(channel, perRole[index] ?? 0));
  const box = make("div", { class: "bar-group" }, canvas, make("span"), ...bars);
  box.style.flex = String(channels.length + 0.5);
  box.style.gridTemplateColumns = `1.75rem repeat(${channels.length}, minmax(0, 1fr))`;
  return box;
}

/** @param {Channel} channel @param {number} index */
function buildBar(channel, index) {
  const look = lookOf(channel, index);
  const line = make("i");
  line.style.color = `var(${look.hue})`;
  line.style.borderTopStyle = look.style;
  const full = make("span", { class: "full", text: channelName(channel) });
  const short = make("span", { class: "short", text: shortName(channel) });
  const name = make("button", { type: "button" }, line, full, short);
  setAttribute(name, "aria-pressed", String(isOnCurve(channel, index)));
  name.onclick = () => {
    chosen.set(channel.id, !isOnCurve(channel, index));
    setAttribute(name, "aria-pressed", String(isOnCurve(channel, index)));
  };
  return make(
    "div",
    { class: "bar" },
    make("span", { class: "bar-why", id: `why-${channel.id}` }),
    make("output", { id: `bar-${channel.id}`, "data-testid": hookOf(channel.id) }),
    name,
  );
}

/** @param {PageState} state @param {Channel} channel @param {number} nowMs */
function writeValue(state, channel, nowMs) {
  const reading = readingOf(state, channel, nowMs);
  const output = byId(`bar-${channel.id}`);
  setText(output, reading.value === null ? DASH : fixed(reading.value, 1));
  setAttribute(output, "data-age", reading.age);
  setText(byId(`why-${channel.id}`), ownReason(state, reading, nowMs));
}

/**
 * The picture of the bars: drawn a few times a second.
 * @param {PageState} state
 * @param {import("./history.js").History|null} history
 * @param {number} nowMs
 */
export function drawBars(state, history, nowMs) {
  for (const { group, channels, canvas } of drawn) {
    const column = canvas.parentElement?.querySelector(".bar-why")?.parentElement;
    const output = canvas.parentElement?.querySelector("output");
    if (!column || !output) continue;
    const height = output.getBoundingClientRect().top - column.getBoundingClientRect().top;
    const context = prepare(canvas, height);
    if (context) drawScale(context, canvas, { state, history, nowMs, group, channels, height });
  }
}
