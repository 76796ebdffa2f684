/**
 * The last hours of every temperature channel on one grid of treatment time.
 * A missing reading is a gap; a grid point between two readings is not.
 */
import { GAP, straightened, thinned, timesOf, UNREAD } from "./thin.js";

/**
 * @typedef {import("./thin.js").Row} Row
 * @typedef {{values: Float64Array, lastS: number}} Line a reading, `GAP` or `UNREAD` at each point
 */

const KEPT_S = 3 * 3600;

export class History {
  /** @param {number} speed treatment seconds per real second */
  constructor(speed) {
    this.speed = speed;
    /** Grid step in treatment seconds: quarter of a real second, at least one second. */
    this.stepS = Math.max(1, speed / 4);
    /** Grid number of the first point; whole numbers, so that steps never drift. */
    this.firstSlot = 0;
    /** Grid points held. */
    this.length = 0;
    /** @type {Map<string, Line>} each as long as it will ever be, so that a page does not grow */
    this.lines = new Map();
  }

  /** Grid points that are held at most. */
  get most() {
    return Math.ceil(KEPT_S / this.stepS);
  }

  /** @param {number} index @returns {number} treatment time of a grid point, in seconds */
  timeAt(index) {
    return (this.firstSlot + index) * this.stepS;
  }

  /** @returns {number|null} treatment time of the newest point */
  get newestS() {
    return this.length ? this.timeAt(this.length - 1) : null;
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
    line.values[index] = value ?? GAP;
    line.lastS = atS;
  }

  /**
   * Each reading and each gap of a channel with its treatment time, oldest first.
   * @param {string} id
   * @param {number} from first grid index
   * @param {(atS: number, value: number|null) => void} call
   */
  forEach(id, from, call) {
    const values = this.lines.get(id)?.values;
    for (let at = from; values && at < this.length; at += 1) {
      const value = /** @type {number} */ (values[at]);
      if (!Number.isNaN(value)) call(this.timeAt(at), value === GAP ? null : value);
    }
  }

  /**
   * All of a plot's rows, the times first, without what the eye cannot see at so many points.
   * @param {string[]} ids
   * @param {number} from first grid index
   * @param {number} most
   * @returns {Row[]}
   */
  rows(ids, from, most) {
    const wide = 2 ** Math.max(0, Math.ceil(Math.log2((2 * (this.length - from)) / most)));
    const first = from + ((wide - ((this.firstSlot + from) % wide)) % wide);
    const times = timesOf((at) => this.timeAt(at), this.length, first, wide);
    return [times, ...ids.map((id) => this.#thinned(id, times, first, wide))];
  }

  /** @param {string} id @param {Row} times @param {number} first @param {number} wide */
  #thinned(id, times, first, wide) {
    const values = this.lines.get(id)?.values;
    if (!values) return new Array(times.length).fill(null);
    return straightened(times, thinned(values, this.length, first, wide));
  }

  /**
   * The grid index from which the last `spanS` treatment seconds begin.
   * @param {number} spanS
   */
  indexSince(spanS) {
    return Math.max(0, this.length - 1 - Math.ceil(spanS / this.stepS));
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
    const next = this.firstSlot + this.length;
    if (!this.length || slot < this.firstSlot || slot > next + this.most) this.#startAt(slot);
    const beyond = slot + 1 - this.firstSlot - this.most;
    if (beyond > 0) this.#drop(beyond + Math.floor(this.most / 10));
    this.length = Math.max(this.length, slot + 1 - this.firstSlot);
    return slot - this.firstSlot;
  }

  /**
   * The room's clock started anew: nothing before it can stand on the same axis.
   * @param {number} slot
   */
  #startAt(slot) {
    this.firstSlot = slot;
    this.length = 0;
    this.lines.clear();
  }

  /**
   * Forgets the oldest points, many at once, so that it is rare.
   * @param {number} count
   */
  #drop(count) {
    for (const { values } of this.lines.values()) {
      values.copyWithin(0, count);
      values.fill(UNREAD, Math.max(0, this.length - count));
    }
    this.firstSlot += count;
    this.length = Math.max(0, this.length - count);
  }

  /** @param {string} id @returns {Line} */
  #line(id) {
    const known = this.lines.get(id);
    if (known) return known;
    const values = new Float64Array(this.most).fill(UNREAD).fill(GAP, 0, this.length);
    const line = { values, lastS: -Infinity };
    this.lines.set(id, line);
    return line;
  }

  /**
   * @param {Line} line
   * @param {number} before
   */
  #cut(line, before) {
    const at = before - 1;
    if (at >= 0 && Number.isNaN(line.values[at])) line.values[at] = GAP;
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
