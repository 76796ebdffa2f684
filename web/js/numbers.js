/**
 * The four deciding numbers, and the pressures, flows and volumes in detail.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").Reading} Reading
 */
import { ownReason, readingOf, roomIsLive } from "./ages.js";
import { byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import {
  channelsOf,
  coreChannel,
  coreMark,
  flowChannel,
  inflowChannel,
  sitesFigure,
} from "./figures.js";
import { DASH, fixed, litres, litresPerMinute } from "./format.js";
import { channelName, t } from "./texts.js";

const DETAIL_ROLES = ["outflow", "line_in", "line_out", "iap", "level", "speed", "power"];
const VOLUMES = "volumes";
/** Names that the large numbers already carry as test hooks. */
const LARGE = new Set(["sites", "inflow", "core", "flow"]);

/** @param {string} id the channel's own hook, apart from those of the large numbers */
export const hookOf = (id) => (LARGE.has(id) ? `detail-${id}` : `value-${id}`);

/**
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawNumbers(state, nowMs) {
  drawSites(state, nowMs);
  drawInflow(state, nowMs);
  drawCore(state, nowMs);
  drawFlow(state, nowMs);
}

/**
 * @param {string} name
 * @param {Reading} reading
 * @param {string} digits
 * @param {string} under what stands below while there is a number
 */
function write(name, reading, digits, under) {
  const output = byId(`value-${name}`);
  setText(output, reading.value === null ? DASH : digits);
  setAttribute(output, "data-age", reading.age);
  setText(byId(`under-${name}`), reading.value === null ? reading.reason : under);
}

/** @param {string} reason @returns {Reading} */
const nothing = (reason) => ({ value: null, age: "gone", reason });

/** @param {PageState} state @param {number} nowMs */
function drawSites(state, nowMs) {
  const figure = sitesFigure(state, nowMs);
  const range = `${fixed(figure.min, 1)}–${fixed(figure.max, 1)}`;
  const count = figure.used < figure.all ? ` · ${t.sites_of(figure.used, figure.all)}` : "";
  write("sites", figure, fixed(figure.value, 1), range + count);
  const target = state.room?.target;
  const inside =
    target && figure.value !== null && figure.age === "fresh"
      ? figure.value >= target.low_c && figure.value <= target.high_c && !aboveCeiling(state, figure)
      : false;
  setAttribute(byId("cell-sites"), "data-in-band", String(inside));
}

/**
 * A mean in the band is not "all is well" while one site stands at its ceiling.
 * @param {PageState} state
 * @param {{max: number|null}} figure
 */
const aboveCeiling = (state, { max }) =>
  max !== null && max >= (state.room?.limits["site_ceiling_c"] ?? Infinity);

/** @param {PageState} state @param {number} nowMs */
function drawInflow(state, nowMs) {
  const channel = inflowChannel(state);
  const reading = channel ? readingOf(state, channel, nowMs) : nothing(t.notConfigured);
  const heat = roomIsLive(state, nowMs) ? state.room?.heat : undefined;
  const set = typeof heat?.granted_c === "number" ? t.setTo(fixed(heat.granted_c, 1)) : t.noSet;
  write("inflow", reading, fixed(reading.value, 1), joined(set, reading.reason));
}

/** @param {PageState} state @param {number} nowMs */
function drawCore(state, nowMs) {
  const channel = coreChannel(state);
  const reading = channel ? readingOf(state, channel, nowMs) : nothing(t.noCore);
  const name = channel ? channelName(channel) : "";
  const gone = { ...reading, reason: joined(name, reading.reason) };
  const mark = coreMark(state, reading.value);
  write("core", gone, fixed(reading.value, 1), joined(name, mark, reading.reason));
}

/** @param {PageState} state @param {number} nowMs */
function drawFlow(state, nowMs) {
  const channel = flowChannel(state);
  const reading = channel ? readingOf(state, channel, nowMs) : nothing(t.noFlow);
  const source = channel?.measured ? t.measured : t.calculated;
  const pump = roomIsLive(state, nowMs) ? state.room?.pump : undefined;
  const set = pump?.flow_set_ml_min ? t.setTo(litresPerMinute(pump.flow_set_ml_min)) : "";
  const under = joined(channel?.measured ? set : "", source, reading.reason);
  write("flow", reading, litresPerMinute(reading.value), under);
}

/** @param {...string} parts */
const joined = (...parts) => parts.filter(Boolean).join(" · ");

/**
 * @param {PageState} state
 * @param {number} nowMs
 */
export function drawDetails(state, nowMs) {
  const calculated = channelsOf(state, ["flow"]).filter((channel) => !channel.measured);
  const channels = [...channelsOf(state, DETAIL_ROLES), ...calculated];
  const list = byId("details");
  rebuildOnChange(list, channels.map((channel) => channel.id).join(), () => [
    ...channels.map((channel) =>
      detailRow(t.detailNames[channel.role] ?? channelName(channel), channel.id, detailHook(channel.id)),
    ),
    detailRow(t.volumes, VOLUMES, VOLUMES),
  ]);
  for (const channel of channels) writeDetail(state, channel, nowMs);
  const volumes = roomIsLive(state, nowMs) ? state.room?.volumes : null;
  const moved = volumes ? t.inOut(litres(volumes.in_ml), litres(volumes.out_ml)) : "";
  setText(byId(`detail-${VOLUMES}`), volumes ? litres(volumes.retained_ml) : DASH);
  setText(byId(`detail-unit-${VOLUMES}`), moved);
}

/** The outflow has its own hook under its bar. @param {string} id */
const detailHook = (id) => (id === "outflow" ? `detail-${id}` : hookOf(id));

/** @param {string} name @param {string} id @param {string} hook */
const detailRow = (name, id, hook) =>
  make(
    "div",
    {},
    make("dt", { text: name }),
    make(
      "dd",
      {},
      make("output", { id: `detail-${id}`, "data-testid": hook }),
      make("small", { id: `detail-unit-${id}` }),
    ),
  );

/** @param {PageState} state @param {Channel} channel @param {number} nowMs */
function writeDetail(state, channel, nowMs) {
  const reading = readingOf(state, channel, nowMs);
  const output = byId(`detail-${channel.id}`);
  const inLitres = channel.unit === "ml/min";
  const decimals = channel.unit === "degC" ? 1 : 0;
  const digits = inLitres ? litresPerMinute(reading.value) : fixed(reading.value, decimals);
  setText(
    output,
    reading.value === null ? `${DASH} ${ownReason(state, reading, nowMs)}`.trim() : digits,
  );
  setAttribute(output, "data-age", reading.age);
  setAttribute(output, "class", reading.value === null ? "why" : "");
  const unit = reading.value === null ? "" : (t.units[channel.unit] ?? channel.unit);
  setText(byId(`detail-unit-${channel.id}`), unit);
}
