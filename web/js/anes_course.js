/**
 * The core's course: half an hour back, ten minutes ahead as a range, and the ladder as lines.
 * Drawn on a canvas of its own: one line, three steps and a fan need no library.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./history.js").History} History
 * @typedef {{atS: number, low: number, high: number}} Edge
 * @typedef {{atS: number, value: number|null}} Reading
 */
import { roomIsLive } from "./ages.js";
import { byId } from "./dom.js";
import { decidingCore } from "./anes_figures.js";
import { fixed } from "./format.js";
import { colourOf } from "./hues.js";
import { t } from "./texts.js";

const BACK_S = 30 * 60;
const AHEAD_S = 10 * 60;
const LEAST_TOP_C = 40;
const MOST_BOTTOM_C = 36;
const OLD_FORECAST_S = 60;
const TICK_MIN = 10;


/**
 * The fan from now to the ranges at each horizon; nothing when the forecast is old.
 * @param {PageState} state
 * @param {number} nowS treatment time on the clock of the readings
 * @returns {Edge[]}
 */
export function fanOf(state, nowS) {
  const outlook = state.room?.outlook;
  const core = decidingCore(state);
  const ahead = outlook?.ahead["core"];
  if (!outlook || !ahead || core?.value === null || core?.value === undefined) return [];
  if (nowS - outlook.at_s > OLD_FORECAST_S) return [];
  const start = { atS: nowS, low: core.value, high: core.value };
  return [
    start,
    ...ahead.map(({ value_c, within_c }, at) => ({
      atS: outlook.at_s + (outlook.horizons_s[at] ?? 0),
      low: value_c - within_c,
      high: value_c + within_c,
    })),
  ];
}

/**
 * The range of the picture: the ladder is always in it.
 * @param {(number|null)[]} values
 * @returns {[number, number]}
 */
export function rangeOf(values) {
  const known = values.filter((value) => typeof value === "number");
  const bottom = Math.min(MOST_BOTTOM_C, ...known.map((value) => Math.floor(value)));
  return [bottom, Math.max(LEAST_TOP_C, ...known.map((value) => Math.ceil(value)))];
}

/** @param {PageState} state @param {History|null} history @param {number} nowMs */
export function drawCourse(state, history, nowMs) {
  const canvas = /** @type {HTMLCanvasElement} */ (byId("course"));
  const ratio = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.scale(ratio, ratio);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  context.font = `${Math.max(12, rem)}px system-ui, sans-serif`;
  const speed = state.room?.speed ?? 1;
  const toldS = ((state.room?.at_ns ?? 0) / 1e9) * speed;
  const nowS = toldS + ((nowMs - (state.snapshotMs ?? nowMs)) / 1000) * speed;
  const core = decidingCore(state);
  /** @type {Reading[]} */
  const readings = [];
  if (core && history) {
    const from = history.indexSince(BACK_S);
    history.forEach(core.id, from, (atS, value) => readings.push({ atS, value }));
  }
  const fan = roomIsLive(state, nowMs) ? fanOf(state, nowS) : [];
  const [bottom, top] = rangeOf([
    ...readings.map(({ value }) => value),
    ...fan.flatMap(({ low, high }) => [low, high]),
  ]);
  const pad = { left: rem * 3, right: rem, top: rem * 0.75, bottom: rem * 1.75 };
  const x = (/** @type {number} */ atS) =>
    pad.left + ((atS - nowS + BACK_S) / (BACK_S + AHEAD_S)) * (width - pad.left - pad.right);
  const y = (/** @type {number} */ atC) =>
    pad.top + ((top - atC) / (top - bottom)) * (height - pad.top - pad.bottom);
  const frame = { context, x, y, width, height, rem, nowS, bottom, top, pad };
  drawGrid(frame);
  drawSteps(frame, state);
  drawFan(frame, fan);
  drawLine(frame, readings);
  drawMode(frame, state);
}

/**
 * @typedef {object} Frame
 * @property {CanvasRenderingContext2D} context
 * @property {(atS: number) => number} x
 * @property {(atC: number) => number} y
 * @property {number} width
 * @property {number} height
 * @property {number} rem
 * @property {number} nowS
 * @property {number} bottom
 * @property {number} top
 * @property {{left: number, right: number, top: number, bottom: number}} pad
 */

/** @param {Frame} frame */
function drawGrid({ context, x, y, width, height, nowS, bottom, top, pad }) {
  context.lineWidth = 1;
  context.strokeStyle = colourOf("--line");
  context.fillStyle = colourOf("--ink-soft");
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (let degrees = bottom; degrees <= top; degrees += 1) {
    line(context, pad.left, y(degrees), width - pad.right, y(degrees));
    context.fillText(String(degrees), pad.left - 6, y(degrees));
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (let minutes = -30; minutes <= 10; minutes += TICK_MIN) {
    const at = x(nowS + minutes * 60);
    line(context, at, pad.top, at, height - pad.bottom);
    const word = minutes === 0 ? t.curveNow : t.minutes(minutes);
    const half = context.measureText(word).width / 2;
    context.fillText(word, Math.min(at, width - pad.right - half), height - 6);
  }
}

/** The ladder, each step with its figure at the right. @param {Frame} frame @param {PageState} state */
function drawSteps({ context, y, width, pad }, state) {
  context.strokeStyle = colourOf("--ink-soft");
  context.fillStyle = colourOf("--ink");
  context.textAlign = "right";
  context.textBaseline = "bottom";
  for (const { limit_c } of state.room?.core?.steps ?? []) {
    context.setLineDash([8, 5]);
    context.lineWidth = 2;
    line(context, pad.left, y(limit_c), width - pad.right, y(limit_c));
    context.setLineDash([]);
    context.fillText(fixed(limit_c, 1), width - pad.right - 4, y(limit_c) - 2);
  }
}

/** @param {Frame} frame @param {Edge[]} fan */
function drawFan({ context, x, y }, fan) {
  if (!fan.length) return;
  context.beginPath();
  for (const { atS, high } of fan) context.lineTo(x(atS), y(high));
  for (const { atS, low } of fan.toReversed()) context.lineTo(x(atS), y(low));
  context.closePath();
  context.globalAlpha = 0.35;
  context.fillStyle = colourOf("--hue-core");
  context.fill();
  context.globalAlpha = 1;
}

/** @param {Frame} frame @param {Reading[]} readings */
function drawLine({ context, x, y, pad }, readings) {
  context.strokeStyle = colourOf("--hue-core");
  context.lineWidth = 3;
  context.beginPath();
  let pen = false;
  for (const { atS, value } of readings) {
    const inside = value !== null && x(atS) >= pad.left;
    if (inside && pen) context.lineTo(x(atS), y(value));
    else if (inside) context.moveTo(x(atS), y(value));
    pen = inside;
  }
  context.stroke();
}

/** A simulated curve says so. @param {Frame} frame @param {PageState} state */
function drawMode({ context, height, pad }, state) {
  const word = /** @type {Record<string, string>} */ (t.modeMark)[state.mode];
  if (!word || state.mode === "real") return;
  context.globalAlpha = 0.4;
  context.fillStyle = colourOf("--line");
  context.font = `800 ${Math.round(height / 4)}px system-ui, sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(word, pad.left + height / 12, height - pad.bottom);
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} fromX
 * @param {number} fromY
 * @param {number} toX
 * @param {number} toY
 */
function line(context, fromX, fromY, toX, toY) {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
