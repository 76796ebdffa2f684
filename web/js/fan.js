/**
 * The next ten minutes as a fan: from the readings now to the ranges foreseen at two and ten
 * minutes. Sites together make one fan, the core another.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {{atS: number, low: number, high: number}} Edge
 * @typedef {{sites: Edge[], core: Edge[]}} Fans
 */
import { channelsOf, coreChannel } from "./figures.js";

/** A forecast older than this (treatment seconds) is not shown. */
const OLD_S = 60;

/**
 * The newest forecast, unless the room has stopped making them: then what it says is no longer so.
 * @param {PageState} state
 */
export function outlookOf({ room }) {
  const outlook = room?.outlook;
  if (!room || !outlook) return null;
  return (room.at_ns / 1e9) * room.speed - outlook.at_s > OLD_S ? null : outlook;
}

/**
 * @param {PageState} state
 * @param {number} nowS treatment time of the page's right now
 * @returns {Fans}
 */
export function fansOf(state, nowS) {
  const outlook = outlookOf(state);
  if (!outlook) return { sites: [], core: [] };
  const sites = channelsOf(state, ["site"]);
  const core = coreChannel(state);
  return {
    sites: edgesOf(outlook, valuesOf(sites), sites.map((site) => site.id), nowS),
    core: edgesOf(outlook, valuesOf(core ? [core] : []), ["core"], nowS),
  };
}

/** @param {import("./types.js").Channel[]} channels */
const valuesOf = (channels) =>
  channels.flatMap(({ value, validity }) => (validity === "valid" && value !== null ? [value] : []));

/**
 * @param {import("./types.js").Outlook} outlook
 * @param {number[]} now
 * @param {string[]} names
 * @param {number} nowS
 * @returns {Edge[]}
 */
function edgesOf(outlook, now, names, nowS) {
  const ahead = names.flatMap((name) => (outlook.ahead[name] ? [outlook.ahead[name]] : []));
  if (!now.length || !ahead.length) return [];
  const start = { atS: nowS, low: Math.min(...now), high: Math.max(...now) };
  const later = outlook.horizons_s.map((horizon, at) => {
    const found = ahead.flatMap((one) => one[at] ?? []);
    return {
      atS: outlook.at_s + horizon,
      low: Math.min(...found.map((one) => one.value_c - one.within_c)),
      high: Math.max(...found.map((one) => one.value_c + one.within_c)),
    };
  });
  return [start, ...later];
}
