/**
 * The live curve: temperatures over treatment time, the target drawn, gaps as gaps, events as
 * flags. Time runs on at the right edge even when nothing comes any more.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./history.js").History} History
 * @typedef {{channel: Channel, index: number}} Line
 * @typedef {{nowS: number, zeroS: number|null, spanS: number, aheadS: number,
 *   ticks?: number}} Axis
 * `zeroS` is the treatment time of drug-in, null before it; `aheadS` is what lies right of now.
 */
import { isOnCurve } from "./bars.js";
import { drawBand, drawFans, drawFlags } from "./curvemarks.js";
import { byId, setAttribute, setText } from "./dom.js";
import { fansOf, outlookOf } from "./fan.js";
import { BAR_GROUPS, channelsOf } from "./figures.js";
import { colourOf, lookOf } from "./hues.js";
import { channelName, t } from "./texts.js";

/** @type {typeof import("../vendor/uplot/uPlot.d.ts")} */
const Plot = /** @type {any} */ (globalThis).uPlot;

const LOWEST_TOP_C = 47;
const HIGHEST_BOTTOM_C = 35;
const STEPS_MIN = [1, 2, 5, 10, 20, 30];
const TICKS_AT_MOST = 8;
const TICK_PX = 80;
/** Of a line that has more, the eye sees no more. */
const POINTS = 800;
/** So much of the future is shown, or a third of the past where that is shorter. */
const AHEAD_S = 600;

/** @type {any} */
let plot = null;
let plotKey = "";
let spanMin = 30;
/** @type {{axis: Axis, state: PageState|null}} */
const scene = { axis: { nowS: 0, zeroS: null, spanS: 1800, aheadS: 0 }, state: null };

/** @param {PageState} state @returns {Line[]} */
function linesOf(state) {
  const roles = BAR_GROUPS.flatMap((group) => group.roles);
  return roles.flatMap((role) =>
    channelsOf(state, [role]).map((channel, index) => ({ channel, index })),
  );
}

/**
 * @param {PageState} state
 * @param {History|null} history
 * @param {number} nowMs
 */
export function drawCurve(state, history, nowMs) {
  const place = byId("curve");
  if (!history || !state.room || !place.clientWidth || !place.clientHeight) return;
  const lines = linesOf(state);
  scene.state = state;
  scene.axis = axisOf(state, nowMs);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const key = `${rem} ${lines.map((line) => line.channel.id)}`;
  if (!plot || key !== plotKey) rebuild(place, lines, key, rem);
  const size = { width: place.clientWidth, height: place.clientHeight };
  if (plot.width !== size.width || plot.height !== size.height) plot.setSize(size);
  lines.forEach((line, at) => {
    const show = isOnCurve(line.channel, line.index);
    if (plot.series[at + 1].show !== show) plot.setSeries(at + 1, { show });
  });
  const from = history.indexSince(scene.axis.spanS);
  plot.setData(
    history.rows(
      lines.map((line) => line.channel.id),
      from,
      POINTS,
    ),
  );
  setText(byId("curve-zero"), scene.axis.zeroS === null ? t.curveBeforeNow : t.curveSinceDrug);
}

/** @param {PageState} state @param {number} nowMs @returns {Axis} */
function axisOf(state, nowMs) {
  const { room, snapshotMs } = state;
  const speed = room?.speed ?? 1;
  const toldS = ((room?.at_ns ?? 0) / 1e9) * speed;
  const contactS = room?.clocks?.contact_s;
  return {
    nowS: toldS + ((nowMs - (snapshotMs ?? nowMs)) / 1000) * speed,
    zeroS: typeof contactS === "number" ? toldS - contactS : null,
    spanS: spanMin * 60,
    ticks: Math.max(2, Math.min(TICKS_AT_MOST, Math.floor(byId("curve").clientWidth / TICK_PX))),
    aheadS: outlookOf(state) ? Math.min(AHEAD_S, spanMin * 20) : 0,
  };
}

/** The colours of a plot are fixed when it is made. */
export function forgetCurve() {
  plotKey = "";
}

/** @param {HTMLElement} place @param {Line[]} lines @param {string} key @param {number} rem */
function rebuild(place, lines, key, rem) {
  plot?.destroy();
  plotKey = key;
  const ink = colourOf("--ink-soft");
  const font = `${rem}px system-ui, sans-serif`;
  const grid = { stroke: colourOf("--line"), width: 0.5 };
  const axis = { stroke: ink, font, grid, ticks: { show: false } };
  plot = new Plot(
    {
      width: place.clientWidth,
      height: place.clientHeight,
      padding: [rem / 2, rem * 2.25, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => rangeS(scene.axis) },
        y: { range: (_plot, low, high) => rangeOf(low, high) },
      },
      axes: [
        {
          ...axis,
          size: rem * 1.75,
          splits: () => splitsOf(scene.axis),
          values: (_plot, splits) => splits.map((split) => labelOf(split, scene.axis)),
        },
        { ...axis, size: rem * 2.75, values: (_plot, splits) => splits.map(String) },
      ],
      series: [{}, ...lines.map(seriesOf)],
      hooks: {
        drawClear: [(drawn) => drawBand(drawn, scene.state)],
        draw: [
          (drawn) => {
            if (scene.state) drawFans(drawn, fansOf(scene.state, scene.axis.nowS), scene.axis.nowS);
            drawFlags(drawn, scene.state, font);
          },
        ],
      },
    },
    [[], ...lines.map(() => [])],
    place,
  );
}

/** @param {Axis} axis @returns {[number, number]} */
const rangeS = ({ nowS, spanS, aheadS }) => [nowS - spanS + aheadS, nowS + aheadS];

/** @param {Line} line */
function seriesOf({ channel, index }) {
  const look = lookOf(channel, index);
  return {
    label: channelName(channel),
    stroke: colourOf(look.hue),
    width: look.width,
    dash: look.dash,
    points: { show: false },
    show: isOnCurve(channel, index),
  };
}

/**
 * The range stays put in ordinary treatment and steps by 5 °C when a value lies outside.
 * @param {number|null} low
 * @param {number|null} high
 * @returns {[number, number]}
 */
export function rangeOf(low, high) {
  const bottom = Math.min(HIGHEST_BOTTOM_C, Math.floor((low ?? HIGHEST_BOTTOM_C) / 5) * 5);
  const top = high !== null && high > LOWEST_TOP_C ? Math.ceil(high / 5) * 5 : LOWEST_TOP_C;
  return [bottom, top];
}

/**
 * Round minutes from drug-in, or back from now before it.
 * @param {Axis} axis
 * @returns {number[]}
 */
export function splitsOf(axis) {
  const { nowS, zeroS, spanS } = axis;
  const step = STEPS_MIN.find((minutes) => spanS / 60 / minutes <= (axis.ticks ?? TICKS_AT_MOST)) ?? 30;
  const originS = zeroS ?? nowS;
  const stepS = step * 60;
  const [fromS, untilS] = rangeS(axis);
  const first = Math.ceil((fromS - originS) / stepS);
  const last = Math.floor((untilS - originS) / stepS);
  return Array.from({ length: last - first + 1 }, (_, at) => originS + (first + at) * stepS);
}

/** @param {number} splitS @param {Axis} axis */
function labelOf(splitS, { nowS, zeroS }) {
  const minutes = Math.round((splitS - (zeroS ?? nowS)) / 60);
  return zeroS === null && minutes === 0 ? t.curveNow : t.minutes(minutes);
}

/** @param {() => void} redraw */
export function wireCurve(redraw) {
  const buttons = [...document.querySelectorAll("[data-span-min]")];
  const mark = () => {
    for (const button of buttons) {
      const minutes = Number(button.getAttribute("data-span-min"));
      setAttribute(button, "aria-pressed", String(minutes === spanMin));
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      spanMin = Number(button.getAttribute("data-span-min"));
      mark();
      redraw();
    });
  }
  new ResizeObserver(redraw).observe(byId("curve"));
  mark();
}
