/**
 * The abdomen, drawn from the front, with every probe at its site: hue and number of the channel,
 * whether it lies in the band, and what is wrong with it. Before the case it is the probe map.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").Reading} Reading
 * @typedef {{x: number, y: number, side: "left"|"right"}} Place
 * The patient's right is on the left of the drawing; `side` is where the label stands.
 */
import { readingOf } from "./ages.js";
import { byId, setAttribute, setText } from "./dom.js";
import { channelsOf } from "./figures.js";
import { DASH, fixed } from "./format.js";
import { lookOf } from "./hues.js";
import { channelName, shortName, t } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 368;
const HEIGHT = 262;
const LEFT_EDGE = 100;
const RIGHT_EDGE = 268;
const ROW = 44;
const MARK = 9;

/** @type {Record<string, Place>} */
const PLACES = {
  nasopharynx: { x: 176, y: 16, side: "right" },
  oesophagus: { x: 192, y: 34, side: "left" },
  right_subphrenic: { x: 150, y: 84, side: "left" },
  left_subphrenic: { x: 218, y: 84, side: "right" },
  right_paracolic: { x: 142, y: 140, side: "left" },
  left_paracolic: { x: 226, y: 132, side: "right" },
  mid_abdomen: { x: 184, y: 150, side: "right" },
  pelvis: { x: 184, y: 202, side: "left" },
  bladder: { x: 190, y: 242, side: "right" },
  rectum: { x: 166, y: 246, side: "left" },
};

/** Head and neck, flanks, diaphragm, pelvis. */
const BODY = [
  "M 168 0 V 26 Q 168 38 140 42 Q 116 46 114 66 Q 112 110 124 140 Q 112 180 106 220 V 262",
  "M 200 0 V 26 Q 200 38 228 42 Q 252 46 254 66 Q 256 110 244 140 Q 256 180 262 220 V 262",
  "M 122 92 Q 150 50 184 66 Q 218 50 246 92",
  "M 112 200 Q 184 300 256 200",
];

/**
 * Where the labels of one side stand: as near to their marks as they can without touching.
 * @param {{id: string, y: number}[]} marks
 * @returns {Map<string, number>} y of each label's value
 */
export function labelRows(marks) {
  const sorted = [...marks].sort((a, b) => a.y - b.y);
  const top = 18;
  const bottom = HEIGHT - 22;
  /** @type {number[]} */
  const rows = [];
  for (const { y } of sorted) rows.push(Math.max(y, (rows.at(-1) ?? top - ROW) + ROW));
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const most = at === rows.length - 1 ? bottom : (rows[at + 1] ?? bottom) - ROW;
    rows[at] = Math.min(rows[at] ?? most, most);
  }
  return new Map(sorted.map(({ id }, at) => [id, rows[at] ?? top]));
}

/**
 * The word that a mark carries besides its hue.
 * @param {Channel} channel
 * @param {Reading} reading
 * @param {import("./types.js").Target|null|undefined} target
 * @returns {"valid"|"above"|"below"|"questionable"|"gone"}
 */
export function markOf(channel, reading, target) {
  if (reading.value === null) return "gone";
  if (channel.validity === "questionable") return "questionable";
  if (!target || channel.role !== "site") return "valid";
  if (reading.value > target.high_c) return "above";
  return reading.value < target.low_c ? "below" : "valid";
}

const SIGNS = { valid: "", above: "▲", below: "▼", questionable: "?", gone: "✕" };

/** @type {{channel: string, group: Element, value: Element, name: Element, sign: Element}[]} */
let drawn = [];
let drawnKey = "";

/** Phases in which the band is meant; before and after it a colder site is no news. */
const WARM = ["heat_up", "drug_addition", "perfuse"];

/** @param {PageState} state @param {number} nowMs */
export function drawAbdomen(state, nowMs) {
  const probes = channelsOf(state, ["site", "core"]);
  const key = probes.map((channel) => channel.id).join();
  if (key !== drawnKey || !drawn.length) rebuild(probes, key);
  const mapping = !state.room?.session || state.room.phase === "setup";
  for (const one of drawn) {
    const channel = state.channels[one.channel];
    if (channel) write(one, state, channel, nowMs, mapping);
  }
}

/** @param {Channel[]} probes @param {string} key */
function rebuild(probes, key) {
  drawnKey = key;
  drawn = [];
  const picture = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t.labels.abdomen });
  picture.append(...BODY.map((d) => shape("path", { d, class: "body" })));
  const placed = probes.map((channel, at) => ({ channel, place: placeOf(channel, at) }));
  for (const side of ["left", "right"]) {
    const here = placed.filter(({ place }) => place.side === side);
    const rows = labelRows(here.map(({ channel, place }) => ({ id: channel.id, y: place.y })));
    for (const { channel, place } of here) {
      const nth = probes.filter((other) => other.role === channel.role).indexOf(channel);
      picture.append(probe(channel, place, rows.get(channel.id) ?? place.y, nth));
    }
  }
  byId("abdomen").replaceChildren(picture);
}

/** A site that the drawing does not know stands beside it. @param {Channel} channel @param {number} at */
const placeOf = (channel, at) =>
  PLACES[channel.site] ?? { x: 234, y: 60 + 30 * (at % 6), side: /** @type {const} */ ("right") };

/** @param {Channel} channel @param {Place} place @param {number} row @param {number} nth */
function probe(channel, { x, y, side }, row, nth) {
  const hue = `var(${lookOf(channel, nth).hue})`;
  const edge = side === "left" ? LEFT_EDGE : RIGHT_EDGE;
  const anchor = side === "left" ? "end" : "start";
  const group = shape("g", { "data-channel": channel.id });
  const line = shape("path", {
    d: `M ${x} ${y} L ${edge + (side === "left" ? 4 : -4)} ${row - 6}`,
    class: "lead",
  });
  const mark = shape("circle", { cx: x, cy: y, r: MARK, class: "mark" });
  const sign = shape("text", { x, y: y + 6, class: "sign" });
  const value = shape("text", { x: edge, y: row, class: "value", "text-anchor": anchor });
  const name = shape("text", { x: edge, y: row + 18, class: "small", "text-anchor": anchor });
  const title = shape("title", {});
  title.textContent = channelName(channel);
  /** @type {HTMLElement} */ (/** @type {unknown} */ (group)).style.setProperty("--hue", hue);
  group.append(title, line, mark, sign, value, name);
  drawn.push({ channel: channel.id, group, value, name, sign });
  return group;
}

/**
 * @param {typeof drawn[number]} one
 * @param {PageState} state
 * @param {Channel} channel
 * @param {number} nowMs
 * @param {boolean} mapping
 */
function write({ group, value, name, sign }, state, channel, nowMs, mapping) {
  const reading = readingOf(state, channel, nowMs);
  const mark = markOf(channel, reading, WARM.includes(state.room?.phase ?? "") ? state.room?.target : null);
  setAttribute(group, "data-mark", mark);
  setAttribute(group, "data-age", reading.age);
  setText(sign, SIGNS[mark]);
  setText(value, reading.value === null ? DASH : fixed(reading.value, 1));
  setText(name, mapping ? t.probeAt(channel.device, channel.input) : shortName(channel));
}

/** @param {string} tag @param {Record<string, string|number>} attributes @returns {SVGElement} */
function shape(tag, attributes) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
