/**
 * The curves of a recorded session: temperatures with band and events, pressures, flow, each with
 * its own axis on one time; gaps as gaps. Beside them the dose of each site with its coverage.
 *
 * @typedef {{id: string, role: string, site: string, unit: string, values: (number|null)[]}} Line
 * @typedef {{name: string, cem43_min: number, mean_c: number|null, min_c: number|null,
 *   max_c: number|null, in_band_min: number, coverage: number}} Course
 * @typedef {{treatment_min: number, coverage: number, t90_c: number|null, t50_c: number|null,
 *   t10_c: number|null, courses: Course[]}} Dose
 * @typedef {{mode: string, speed: number, opened_utc: string, times_s: number[],
 *   target: {low_c: number, high_c: number}|null, channels: Line[],
 *   events: {at_utc: string, kind: string, text: string}[], dose: Dose|null}} Recorded
 */
import { rangeOf } from "./curve.js";
import { drawBand, drawFlags } from "./curvemarks.js";
import { byId, make, setText } from "./dom.js";
import { fixed } from "./format.js";
import { colourOf, lookOf } from "./hues.js";
import { channelName, t as live, recordTexts as t } from "./texts.js";

/** @type {typeof import("../vendor/uplot/uPlot.d.ts")} */
const Plot = /** @type {any} */ (globalThis).uPlot;

/** Unit as recorded, how it is shown, where, and how many decimals. */
const KINDS = [
  { unit: "degC", place: "curve-temperature", shown: "°C", decimals: 1 },
  { unit: "mmHg", place: "curve-pressure", shown: "mmHg", decimals: 0 },
  { unit: "ml/min", place: "curve-flow", shown: "ml/min", decimals: 0 },
];
const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60];
/** Pressures and flows have the hues of sites, one each. */
const OTHER = { role: "other" };
const MARKS = /** @type {Record<string, string>} */ ({
  alarm_high: "!!!",
  alarm_medium: "!!",
  alarm_low: "!",
});

/** @type {any[]} */
let plots = [];

/** Takes the plots of the session before away. */
export function clearCurves() {
  for (const plot of plots) plot.destroy();
  plots = [];
  byId("dose").replaceChildren();
  byId("curves").hidden = true;
}

/** @param {Recorded} recorded */
export function drawCurves(recorded) {
  clearCurves();
  byId("curves").hidden = false;
  for (const kind of KINDS) {
    const lines = recorded.channels.filter((line) => line.unit === kind.unit);
    if (lines.length) plots.push(plotOf(recorded, kind, lines));
  }
  drawDose(recorded.dose);
}

/** Curves as wide as the page is now. */
export function fitCurves() {
  for (const plot of plots) {
    const place = plot.root.parentElement;
    plot.setSize({ width: place.clientWidth, height: plot.height });
  }
}

/** @param {Recorded} recorded @param {typeof KINDS[number]} kind @param {Line[]} lines */
function plotOf(recorded, { place, shown, decimals, unit }, lines) {
  const holder = byId(place);
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const font = `${rem}px system-ui, sans-serif`;
  const grid = { stroke: colourOf("--line"), width: 0.5 };
  const axis = { stroke: colourOf("--ink-soft"), font, grid, ticks: { show: false } };
  const heat = unit === "degC";
  const scene = heat ? sceneOf(recorded) : null;
  return new Plot(
    {
      width: holder.clientWidth,
      height: rem * (heat ? 26 : 10),
      title: shown,
      cursor: { sync: { key: "record" }, drag: { x: true, y: false } },
      scales: {
        x: { time: false },
        ...(heat ? { y: { range: (_plot, low, high) => rangeOf(low, high) } } : {}),
      },
      axes: [
        {
          ...axis,
          space: rem * 5,
          incrs: STEPS_MIN,
          values: (_plot, splits) => splits.map((one) => live.minutes(Math.round(one))),
        },
        { ...axis, size: rem * 4 },
      ],
      series: [
        { label: t.minute, value: (_plot, one) => (one === null ? "–" : fixed(one, 1)) },
        ...lines.map((line) => seriesOf(line, lines, decimals)),
      ],
      hooks: {
        drawClear: [(drawn) => scene && drawBand(drawn, scene)],
        draw: [(drawn) => scene && (drawFlags(drawn, scene, font), drawMarks(drawn, recorded, font))],
      },
    },
    [recorded.times_s.map((one) => one / 60), ...lines.map((line) => line.values)],
    holder,
  );
}

/** @param {Line} line @param {Line[]} lines @param {number} decimals */
function seriesOf(line, lines, decimals) {
  const alike = lines.filter((one) => one.role === line.role);
  const look = line.unit === "degC" ? lookOf(line, alike.indexOf(line)) : lookOf(OTHER, lines.indexOf(line));
  return {
    label: channelName(line),
    stroke: colourOf(look.hue),
    width: look.width,
    dash: look.dash,
    points: { show: false },
    value: (/** @type {any} */ _plot, /** @type {number|null} */ one) =>
      one === null ? "–" : fixed(one, decimals),
  };
}

/**
 * What the marks of the live curve need to know: its axis counts minutes from the opening, so the
 * room's clock stands at zero there and runs sixty times slower than treatment seconds.
 * @param {Recorded} recorded
 * @returns {any}
 */
const sceneOf = ({ mode, target, events, opened_utc, speed }) => ({
  mode,
  room: { target, events, steps: [], at_utc: opened_utc, at_ns: 0, speed: speed / 60 },
});

/** Onsets of alarms along the foot. @param {any} plot @param {Recorded} recorded
 * @param {string} font */
function drawMarks(plot, recorded, font) {
  const ratio = devicePixelRatio || 1;
  const { left, top, width, height } = plot.bbox;
  const context = plot.ctx;
  context.save();
  context.font = font.replace(/^[\d.]+/, (size) => String(Number(size) * ratio));
  context.fillStyle = colourOf("--ink");
  context.textBaseline = "bottom";
  context.textAlign = "center";
  for (const event of recorded.events) {
    const mark = MARKS[event.kind];
    if (!mark) continue;
    const x = plot.valToPos(minuteOf(recorded, event.at_utc), "x", true);
    if (x >= left && x <= left + width) context.fillText(mark, x, top + height);
  }
  context.restore();
}

/** @param {Recorded} recorded @param {string} atUtc */
const minuteOf = ({ opened_utc, speed }, atUtc) =>
  ((Date.parse(atUtc) - Date.parse(opened_utc)) / 60_000) * speed;

/** @param {Dose|null} dose */
function drawDose(dose) {
  setText(byId("dose-head"), dose ? doseWords(dose) : t.doseLater);
  if (!dose) return;
  const head = t.doseColumns.map((text) => make("th", { scope: "col", text }));
  const rows = dose.courses.map((one) =>
    make(
      "tr",
      {},
      make("th", { scope: "row", text: one.name.replaceAll("_", " ") }),
      ...[fixed(one.cem43_min, 1), degrees(one.mean_c), `${degrees(one.min_c)}–${degrees(one.max_c)}`]
        .concat(fixed(one.in_band_min, 1), percent(one.coverage))
        .map((text) => make("td", { text })),
    ),
  );
  byId("dose").replaceChildren(make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
}

/** @param {Dose} dose */
const doseWords = (dose) =>
  t.doseHead(
    fixed(dose.treatment_min, 1),
    degrees(dose.t90_c),
    degrees(dose.t50_c),
    degrees(dose.t10_c),
    percent(dose.coverage),
  );

/** @param {number|null} value */
const degrees = (value) => (value === null ? "–" : fixed(value, 2));
/** @param {number} share */
const percent = (share) => `${fixed(100 * share, 1)} %`;
