/**
 * Rows of a plot made short, because stroking a line costs by the point: what is left differs
 * from what was read by a pixel at most, and no extreme and no gap is lost.
 *
 * @typedef {(number|null|undefined)[]} Row null is a gap, undefined is joined over
 */

/** What is held of a grid point that has no reading: a gap, or nothing, which is joined over. */
export const GAP = Infinity;
export const UNREAD = NaN;

/** A pixel of the room's screen is 0.055 °C, half of the thinnest line. */
const UNSEEN_C = 0.055;

/**
 * The times of `thinned` rows: two for each whole stretch, all of the one that still grows.
 * @param {(index: number) => number} timeAt
 * @param {number} length of the row
 * @param {number} first index from which stretches are counted
 * @param {number} wide points of a stretch
 * @returns {Row}
 */
export function timesOf(timeAt, length, first, wide) {
  /** @type {Row} */
  const times = [];
  const tail = tailOf(length, first, wide);
  for (let at = first; at < tail; at += wide) times.push(timeAt(at), timeAt(at + (wide >> 1)));
  for (let at = tail; at < length; at += 1) times.push(timeAt(at));
  return times;
}

/**
 * Of each stretch the lowest and the highest reading in their order, or a reading beside its gap.
 * @param {Float64Array} values
 * @param {number} length of the row
 * @param {number} first
 * @param {number} wide
 * @returns {Row}
 */
export function thinned(values, length, first, wide) {
  /** @type {Row} */
  const row = [];
  const tail = tailOf(length, first, wide);
  for (let at = first; at < tail; at += wide) pushExtremes(row, values, at, at + wide);
  for (let at = tail; at < length; at += 1) row.push(drawn(/** @type {number} */ (values[at])));
  return row;
}

/**
 * Stretches of one or two points stay as they are: there is nothing to be had.
 * @param {number} length
 * @param {number} first
 * @param {number} wide
 */
const tailOf = (length, first, wide) =>
  wide <= 2 ? first : first + wide * Math.max(0, Math.floor((length - first) / wide));

/** @param {number} value @returns {number|null|undefined} as uPlot wants it */
const drawn = (value) => (value === GAP ? null : Number.isNaN(value) ? undefined : value);

/** @param {Row} row @param {Float64Array} values @param {number} from @param {number} until */
function pushExtremes(row, values, from, until) {
  let [low, lowAt, high, highAt, gapAt] = [Infinity, -1, -Infinity, -1, -1];
  for (let at = from; at < until; at += 1) {
    const value = /** @type {number} */ (values[at]);
    if (value === GAP) {
      gapAt = at;
      continue;
    }
    if (value < low) {
      low = value;
      lowAt = at;
    }
    if (value > high) {
      high = value;
      highAt = at;
    }
  }
  const nothing = gapAt < 0 ? undefined : null;
  if (lowAt < 0) row.push(nothing, nothing);
  else if (gapAt >= 0) row.push(gapAt < lowAt ? null : low, gapAt < lowAt ? low : null);
  else row.push(lowAt < highAt ? low : high, lowAt < highAt ? high : low);
}

/**
 * The row without the points that lie on the straight line between those that stay, within
 * `UNSEEN_C`; a point beside a gap, and the newest, always stay. ("Swinging door".)
 * @param {Row} times
 * @param {Row} row changed in place
 * @returns {Row}
 */
export function straightened(times, row) {
  let [anchor, last, anchorS, anchorC] = [-1, -1, 0, 0];
  let [least, most] = [-Infinity, Infinity];
  for (let at = 0; at < row.length; at += 1) {
    const value = row[at];
    if (value === undefined) continue;
    if (value === null) anchor = last = -1;
    else {
      const atS = /** @type {number} */ (times[at]);
      const slope = (value - anchorC) / (atS - anchorS);
      if (last > anchor && slope >= least && slope <= most) row[last] = undefined;
      else if (last >= 0) {
        [anchor, anchorS] = [last, /** @type {number} */ (times[last])];
        [anchorC, least, most] = [/** @type {number} */ (row[last]), -Infinity, Infinity];
      }
      if (last < 0) [anchor, anchorS, anchorC, least, most] = [at, atS, value, -Infinity, Infinity];
      else {
        least = Math.max(least, (value - UNSEEN_C - anchorC) / (atS - anchorS));
        most = Math.min(most, (value + UNSEEN_C - anchorC) / (atS - anchorS));
      }
      last = at;
    }
  }
  return row;
}
