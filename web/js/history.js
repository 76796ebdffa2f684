/**
 * The last hours of every temperature channel on one grid of treatment time.
 * A missing reading is a gap; a grid point between two readings is not.
 */
import { straightened, thinned, timesOf } from "./thin.js";

/** @typedef {import("./thin.js").Row} Row */

const KEPT_S = 3 * 3600;

export class History {
  /** @param {number} speed treatment seconds per real second */
  constructor(speed) {
    this.speed = speed;
    /** Grid step in treatment seconds: quarter of a real second, at least one second. */
    this.stepS = Math.max(1, speed / 4);
    /** @type {number[]} treatment time of each grid point, in seconds */
    this.timesS = [];
    /** Grid number of the first point; whole numbers, so that steps never drift. */
    this.firstSlot = 0;
    /** @type {Map<string, {values: (number|null|undefined)[], lastS: number}>} */
    this.series = new Map();
  }

  /** @returns {number|null} treatment time of the newest point */
  get newestS() {
    return this.timesS.at(-1) ?? null;
  }

  /**
   * @param {string} id
   * @param {number} atS treatment time (s) of the reading
   * @param {number|null} value null where the reading may not be shown
   * @param {number} gapS readings further apart than this (treatment s) are not joined
   */
  add(id, atS, value, gapS) {
    const index = this.#indexAt(atS);
    const line = this.#line(id);
    if (atS - line.lastS > gapS) this.#cut(line, index);
    line.values[index] = value;
    line.lastS = atS;
  }

  /**
   * A row of uPlot data: null is a gap, undefined is joined over.
   * @param {string} id
   * @param {number} [from] first grid index
   * @returns {(number|null|undefined)[]}
   */
  valuesOf(id, from = 0) {
    const line = this.series.get(id);
    if (!line) return new Array(this.timesS.length - from).fill(null);
    const values = line.values.slice(from);
    values.length = this.timesS.length - from;
    return values;
  }

  /**
   * All of a plot's rows, the times first, without what the eye cannot see at so many points.
   * @param {string[]} ids
   * @param {number} from first grid index
   * @param {number} most
   * @returns {Row[]}
   */
  rows(ids, from, most) {
    const wide = 2 ** Math.max(0, Math.ceil(Math.log2((2 * (this.timesS.length - from)) / most)));
    const first = from + ((wide - ((this.firstSlot + from) % wide)) % wide);
    const times = timesOf(this.timesS, first, wide);
    return [times, ...ids.map((id) => this.#thinned(id, times, first, wide))];
  }

  /** @param {string} id @param {Row} times @param {number} first @param {number} wide */
  #thinned(id, times, first, wide) {
    const values = this.series.get(id)?.values;
    if (!values) return new Array(times.length).fill(null);
    return straightened(times, thinned(values, this.timesS.length, first, wide));
  }

  /**
   * The grid index from which the last `spanS` treatment seconds begin.
   * @param {number} spanS
   */
  indexSince(spanS) {
    const newest = this.newestS;
    if (newest === null) return 0;
    const index = this.timesS.length - 1 - Math.ceil(spanS / this.stepS);
    return Math.max(0, index);
  }

  /**
   * A history with what the service has kept, for a page that comes or wakes in the middle.
   * @param {number} speed
   * @param {{step_s: number, times_s: number[], channels: Record<string, (number|null)[]>}} kept
   */
  static of(speed, kept) {
    const history = new History(speed);
    const gapS = 1.5 * kept.step_s;
    kept.times_s.forEach((atS, row) => {
      for (const [id, values] of Object.entries(kept.channels)) {
        history.add(id, atS, values[row] ?? null, gapS);
      }
    });
    return history;
  }

  /** @param {number} atS */
  #indexAt(atS) {
    const slot = Math.floor(atS / this.stepS);
    const most = KEPT_S / this.stepS;
    const next = this.firstSlot + this.timesS.length;
    if (!this.timesS.length || slot < this.firstSlot || slot > next + most) this.#startAt(slot);
    else for (let at = next; at <= slot; at += 1) this.timesS.push(at * this.stepS);
    this.#trim();
    return slot - this.firstSlot;
  }

  /**
   * The room's clock started anew: nothing before it can stand on the same axis.
   * @param {number} slot
   */
  #startAt(slot) {
    this.firstSlot = slot;
    this.timesS = [slot * this.stepS];
    this.series.clear();
  }

  /** Drops the oldest tenth at once, so that trimming is rare. */
  #trim() {
    const most = KEPT_S / this.stepS;
    if (this.timesS.length <= most) return;
    const dropped = Math.ceil(most / 10);
    this.timesS.splice(0, dropped);
    this.firstSlot += dropped;
    for (const line of this.series.values()) line.values.splice(0, dropped);
  }

  /** @param {string} id */
  #line(id) {
    const known = this.series.get(id);
    if (known) return known;
    const line = { values: new Array(this.timesS.length).fill(null), lastS: -Infinity };
    this.series.set(id, line);
    return line;
  }

  /**
   * @param {{values: (number|null|undefined)[]}} line
   * @param {number} before
   */
  #cut(line, before) {
    const at = before - 1;
    if (at >= 0 && line.values[at] === undefined) line.values[at] = null;
  }
}

/**
 * What the service has kept of this boot; null where it cannot be had, and the curve begins now.
 * @param {import("./types.js").PageState} state
 * @returns {Promise<History|null>}
 */
export async function keptHistory(state) {
  try {
    const answer = await fetch("/api/v1/history");
    if (!answer.ok || !state.room) return null;
    const kept = await answer.json();
    return kept.boot === state.boot ? History.of(state.room.speed, kept) : null;
  } catch {
    return null;
  }
}
