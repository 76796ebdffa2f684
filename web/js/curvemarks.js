/**
 * What the curve shows besides its lines: the target, the flags of events, the mode.
 *
 * @typedef {import("./types.js").PageState} PageState
 */
import { eventWords } from "./format.js";
import { colourOf } from "./hues.js";
import { t } from "./texts.js";

/** Kinds of events that are worth a flag; the log has them all. */
const FLAGGED = ["phase", "drug"];

/**
 * @param {any} plot uPlot
 * @param {PageState|null} state
 */
export function drawBand(plot, state) {
  const context = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  const target = state?.room?.target;
  context.save();
  if (target) {
    const high = plot.valToPos(target.high_c, "y", true);
    const low = plot.valToPos(target.low_c, "y", true);
    context.fillStyle = colourOf("--zone");
    context.fillRect(left, high, width, low - high);
  }
  const word = /** @type {Record<string, string>} */ (t.modeMark)[state?.mode ?? ""];
  if (word && state?.mode !== "real") {
    context.globalAlpha = 0.5;
    context.fillStyle = colourOf("--line");
    context.font = `800 ${Math.round(height / 3)}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillText(word, left + height / 12, top + height * 0.85);
  }
  context.restore();
}

/**
 * What is foreseen, right of now: the range of the sites together, and of the core.
 * @param {any} plot uPlot
 * @param {import("./fan.js").Fans} fans
 * @param {number} nowS
 */
export function drawFans(plot, fans, nowS) {
  if (!fans.sites.length && !fans.core.length) return;
  const context = plot.ctx;
  const { left, top, width, height } = plot.bbox;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  drawFan(plot, fans.sites, "--ink");
  drawFan(plot, fans.core, "--hue-core");
  const x = plot.valToPos(nowS, "x", true);
  context.fillStyle = colourOf("--ink-soft");
  context.fillRect(x, top, devicePixelRatio || 1, height);
  context.restore();
}

/** @param {any} plot @param {import("./fan.js").Edge[]} edges @param {string} hue */
function drawFan(plot, edges, hue) {
  if (!edges.length) return;
  const context = plot.ctx;
  const at = (/** @type {number} */ atS, /** @type {number} */ value) =>
    /** @type {const} */ ([plot.valToPos(atS, "x", true), plot.valToPos(value, "y", true)]);
  context.beginPath();
  for (const edge of edges) context.lineTo(...at(edge.atS, edge.high));
  for (const edge of edges.toReversed()) context.lineTo(...at(edge.atS, edge.low));
  context.closePath();
  context.globalAlpha = 0.18;
  context.fillStyle = colourOf(hue);
  context.fill();
  context.globalAlpha = 0.7;
  context.setLineDash([3, 5]);
  context.strokeStyle = colourOf(hue);
  context.stroke();
  context.globalAlpha = 1;
}

/**
 * @param {any} plot uPlot
 * @param {PageState|null} state
 * @param {string} font in CSS pixels
 */
export function drawFlags(plot, state, font) {
  const room = state?.room;
  if (!room) return;
  const context = plot.ctx;
  const ratio = devicePixelRatio || 1;
  const { left, top, height } = plot.bbox;
  context.save();
  context.strokeStyle = colourOf("--ink-grey");
  context.font = font.replace(/^[\d.]+/, (size) => String(Number(size) * ratio));
  context.textBaseline = "top";
  context.lineWidth = ratio;
  let freeRow = 0;
  for (const event of room.events) {
    if (!FLAGGED.some((kind) => event.kind.startsWith(kind))) continue;
    const agoS = (Date.parse(room.at_utc) - Date.parse(event.at_utc)) / 1000;
    const x = plot.valToPos((room.at_ns / 1e9 - agoS) * room.speed, "x", true);
    if (!(x > left)) continue;
    context.setLineDash([4 * ratio, 4 * ratio]);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + height);
    context.stroke();
    writeFlag(context, plot.bbox, x, eventWords(event, room.steps), (freeRow % 3) * 19 * ratio);
    freeRow += 1;
  }
  context.restore();
}

/**
 * A flag near the right edge is written to the left of its pole.
 * @param {CanvasRenderingContext2D} context
 * @param {{left: number, top: number, width: number}} box
 * @param {number} x
 * @param {string} text
 * @param {number} down
 */
function writeFlag(context, box, x, text, down) {
  const wide = context.measureText(text).width + 8;
  const start = x + wide < box.left + box.width ? x : x - wide;
  const high = parseFloat(context.font.replace(/^\D*/, "")) * 1.15;
  context.textAlign = "left";
  context.fillStyle = colourOf("--panel");
  context.fillRect(start + 1, box.top + down, wide - 2, high);
  context.fillStyle = colourOf("--ink");
  context.fillText(text, start + 4, box.top + 1 + down);
}
