/**
 * The four deciding figures, drawn from the channels as they are now: a channel whose value has
 * gone drops out of them at once.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Channel} Channel
 * @typedef {import("./types.js").Reading} Reading
 */
import { readingOf } from "./ages.js";
import { t } from "./texts.js";

/** Bladder and rectum lie against hot perfusate and do not decide. */
const DECIDING_CORE_SITES = ["nasopharynx", "oesophagus", "esophagus"];

/** The order in which temperature channels stand side by side. */
export const BAR_GROUPS = [
  { roles: ["site"], low_c: 40, high_c: 45, ticks_c: [40, 41, 42, 43, 44, 45] },
  {
    roles: ["inflow", "outflow", "reservoir", "exchanger", "bath"],
    low_c: 38,
    high_c: 50,
    ticks_c: [38, 40, 42, 44, 46, 48, 50],
  },
  { roles: ["core"], low_c: 35, high_c: 41, ticks_c: [35, 36, 37, 38, 39, 40, 41] },
];

/**
 * Channels of these roles, in the order of the roles and then as configured.
 * @param {PageState} state
 * @param {string[]} roles
 */
export function channelsOf(state, roles) {
  const all = Object.values(state.channels);
  return roles.flatMap((role) => all.filter((channel) => channel.role === role));
}

/**
 * Mean, lowest and highest of the valid sites; as old as the oldest site in it.
 * @param {PageState} state
 * @param {number} nowMs
 * @returns {Reading & {min: number|null, max: number|null, used: number, all: number}}
 */
export function sitesFigure(state, nowMs) {
  const sites = channelsOf(state, ["site"]);
  const valid = sites
    .filter((site) => site.validity === "valid")
    .map((site) => readingOf(state, site, nowMs))
    .filter((reading) => reading.value !== null);
  const values = valid.map((reading) => /** @type {number} */ (reading.value));
  const counts = { used: values.length, all: sites.length };
  if (!values.length) {
    const first = sites[0];
    const reason = first ? readingOf(state, first, nowMs).reason : t.notConfigured;
    return { value: null, age: "gone", reason, min: null, max: null, ...counts };
  }
  return {
    value: values.reduce((sum, value) => sum + value, 0) / values.length,
    age: valid.some((reading) => reading.age === "grey") ? "grey" : "fresh",
    reason: "",
    min: Math.min(...values),
    max: Math.max(...values),
    ...counts,
  };
}

/**
 * The core probe that decides: it stays named even when its value is gone, so that no other
 * probe silently takes its place.
 * @param {PageState} state
 * @returns {Channel|undefined}
 */
export function coreChannel(state) {
  const cores = channelsOf(state, ["core"]);
  return cores.find((channel) => DECIDING_CORE_SITES.includes(channel.site)) ?? cores[0];
}

/**
 * Measured flow when there is a meter, otherwise what the pump calculates from its speed.
 * @param {PageState} state
 * @returns {Channel|undefined}
 */
export function flowChannel(state) {
  const flows = channelsOf(state, ["flow"]);
  return flows.find((channel) => channel.measured) ?? flows[0];
}

/** @param {PageState} state @returns {Channel|undefined} */
export const inflowChannel = (state) => channelsOf(state, ["inflow"])[0];

/**
 * A core at the first step of its ladder is marked; only the higher steps alarm.
 * @param {PageState} state
 * @param {number|null} value °C
 */
export function coreMark(state, value) {
  const first = state.room?.core?.steps[0];
  return first && value !== null && value >= first.limit_c ? t.coreAbove(first.limit_c.toFixed(1)) : "";
}
