/**
 * Drawing of one group of band bars on its canvas.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {object} Scene
 * @property {PageState} state
 * @property {import("./history.js").History|null} history
 * @property {number} nowMs
 * @property {{low_c: number, high_c: number, ticks_c: number[]}} group
 * @property {Channel[]} channels
 * @property {number} height in CSS pixels
 */
import { readingOf } from "./ages.js";
import { outlookOf } from "./fan.js";
import { coreChannel } from "./figures.js";
import { colourOf, lookOf } from "./hues.js";

const TAIL_S = 300;
const EDGE_PX = 8;

/**
 * The limit that is the ceiling of a role, as the protocol names it.
 * @type {Record<string, string>}
 */
const CEILINGS = {
  site: "site_ceiling_c",
  inflow: "inflow_ceiling_c",
  reservoir: "reservoir_ceiling_c",
  bath: "bath_ceiling_c",
  core: "core_ceiling_c",
};

/**
 * Sizes the canvas to its place in device pixels and clears it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} height in CSS pixels
 * @returns {CanvasRenderingContext2D|null} null while there is no room to draw
 */
export function prepare(canvas, height) {
  const width = canvas.clientWidth;
  if (width < 20 || height < 20) return null;
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 */
export function drawScale(context, canvas, scene) {
  const { group, channels, height } = scene;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const gutter = 1.75 * rem;
  const column = (canvas.clientWidth - gutter) / channels.length;
  const yOf = (/** @type {number} */ valueC) => {
    const share = (valueC - group.low_c) / (group.high_c - group.low_c);
    return height - EDGE_PX - Math.min(1, Math.max(0, share)) * (height - 2 * EDGE_PX);
  };
  drawTicks(context, scene, yOf, rem, gutter);
  const perRole = /** @type {Record<string, number>} */ ({});
  channels.forEach((channel, place) => {
    const index = perRole[channel.role] ?? 0;
    perRole[channel.role] = index + 1;
    const width = Math.min(column * 0.74, 5 * rem);
    const left = gutter + column * place + (column - width) / 2;
    drawBar(context, scene, channel, { left, width, yOf, look: lookOf(channel, index) });
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {(valueC: number) => number} yOf
 * @param {number} rem
 * @param {number} gutter
 */
function drawTicks(context, { group, height }, yOf, rem, gutter) {
  context.font = `${rem}px system-ui, sans-serif`;
  context.fillStyle = colourOf("--ink-soft");
  context.textAlign = "right";
  context.textBaseline = "middle";
  const room = (height - 2 * EDGE_PX) / (group.ticks_c.length - 1);
  const every = room < rem * 1.1 ? 2 : 1;
  group.ticks_c.forEach((tick, index) => {
    if (index % every) return;
    const y = Math.min(height - rem / 2, Math.max(rem / 2, yOf(tick)));
    context.fillText(String(tick), gutter - 4, y);
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {Channel} channel
 * @param {{left: number, width: number, yOf: (valueC: number) => number,
 *   look: import("./hues.js").Look}} place
 */
function drawBar(context, scene, channel, place) {
  const { left, width, yOf, look } = place;
  const { state, group, height } = scene;
  context.fillStyle = colourOf("--track");
  context.fillRect(left, EDGE_PX, width, height - 2 * EDGE_PX);
  const reading = readingOf(state, channel, scene.nowMs);
  const target = state.room?.target;
  if (target && target.high_c > group.low_c && channel.role !== "core") {
    drawZone(context, place, target);
  }
  const ceiling = state.room?.limits[CEILINGS[channel.role] ?? ""];
  if (ceiling !== undefined && ceiling <= group.high_c) {
    context.fillStyle = colourOf("--ink");
    context.fillRect(left - 3, yOf(ceiling) - 2, width + 6, 4);
  }
  if (reading.value === null) return;
  const colour = reading.age === "fresh" ? colourOf(look.hue) : colourOf("--ink-grey");
  const within = reading.value >= group.low_c && reading.value <= group.high_c;
  if (within) drawTail(context, scene, channel, place, colour);
  drawAhead(context, scene, channel, place, colour);
  context.fillStyle = colour;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  markPath(context, place, group, reading.value);
  if (reading.age === "fresh") context.fill();
  else context.stroke();
}

/**
 * What is foreseen for this channel in ten minutes: a bracket at the bar's right edge.
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {Channel} channel
 * @param {{left: number, width: number, yOf: (valueC: number) => number}} place
 * @param {string} colour
 */
function drawAhead(context, { state, group }, channel, { left, width, yOf }, colour) {
  const name = channel.id === coreChannel(state)?.id ? "core" : channel.id;
  const later = outlookOf(state)?.ahead[name]?.at(-1);
  if (!later) return;
  const within = (/** @type {number} */ value) =>
    yOf(Math.min(group.high_c, Math.max(group.low_c, value)));
  const top = within(later.value_c + later.within_c);
  const bottom = within(later.value_c - later.within_c);
  context.save();
  context.globalAlpha = 0.55;
  context.fillStyle = colour;
  context.fillRect(left + width + 3, top, 3, Math.max(2, bottom - top));
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{left: number, width: number, yOf: (valueC: number) => number}} place
 * @param {import("./types.js").Target} target
 */
function drawZone(context, { left, width, yOf }, target) {
  const [top, bottom] = [yOf(target.high_c), yOf(target.low_c)];
  context.fillStyle = colourOf("--zone");
  context.fillRect(left, top, width, bottom - top);
  context.fillStyle = colourOf("--zone-edge");
  context.fillRect(left, top - 1, width, 2);
  context.fillRect(left, bottom - 1, width, 2);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {Channel} channel
 * @param {{left: number, width: number, yOf: (valueC: number) => number}} place
 * @param {string} colour
 */
function drawTail(context, { history }, channel, { left, width, yOf }, colour) {
  const newestS = history?.newestS;
  if (!history || newestS === null || newestS === undefined) return;
  const from = history.indexSince(TAIL_S);
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  let joined = false;
  history.forEach(channel.id, from, (atS, value) => {
    if (value !== null) {
      const x = left + (width - 12) * (1 - Math.min(1, (newestS - atS) / TAIL_S));
      if (joined) context.lineTo(x, yOf(value));
      else context.moveTo(x, yOf(value));
    }
    joined = value !== null;
  });
  context.stroke();
}

/**
 * A pointer at the value; beyond the scale an arrow along the bar says which way.
 * @param {CanvasRenderingContext2D} context
 * @param {{left: number, width: number, yOf: (valueC: number) => number}} place
 * @param {{low_c: number, high_c: number}} scale
 * @param {number} value
 */
function markPath(context, { left, width, yOf }, scale, value) {
  const y = yOf(value);
  const right = left + width;
  context.beginPath();
  if (value < scale.low_c || value > scale.high_c) {
    const back = value < scale.low_c ? -12 : 12;
    const middle = left + width / 2;
    context.moveTo(middle, y);
    context.lineTo(middle - 10, y + back);
    context.lineTo(middle + 10, y + back);
  } else {
    context.moveTo(right - 14, y);
    context.lineTo(right + 2, y - 8);
    context.lineTo(right + 2, y + 8);
  }
  context.closePath();
}
