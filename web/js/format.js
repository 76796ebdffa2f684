/** Numbers and times as people read them. Unknown is a dash, never a zero. */

export const DASH = "–";
const HUNDRED_MINUTES_S = 6000;

/**
 * @param {number|null|undefined} value
 * @param {number} decimals
 */
export function fixed(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * Seconds as m:ss, or h:mm:ss from a hundred minutes on; a negative time keeps its sign.
 * @param {number|null|undefined} seconds
 */
export function clock(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return DASH;
  const whole = Math.floor(Math.abs(seconds));
  const sign = seconds < 0 && whole > 0 ? "−" : "";
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const rest = two(whole % 60);
  const minutes = Math.floor(whole / 60);
  if (whole < HUNDRED_MINUTES_S) return `${sign}${minutes}:${rest}`;
  return `${sign}${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

/**
 * A UTC stamp as the wall clock of this screen, hh:mm:ss.
 * @param {string|null|undefined} utc ISO 8601
 */
export function timeOfDay(utc) {
  const date = utc ? new Date(utc) : null;
  if (!date || Number.isNaN(date.getTime())) return DASH;
  return date.toTimeString().slice(0, 8);
}

/** @param {number|null|undefined} flowMlMin ml/min shown as L/min with two decimals */
export const litresPerMinute = (flowMlMin) =>
  fixed(flowMlMin === null || flowMlMin === undefined ? null : flowMlMin / 1000, 2);

/** @param {number|null|undefined} volumeMl ml shown as L with two decimals */
export const litres = litresPerMinute;

/**
 * What a person typed as a number, decimal point or comma; null when it is none.
 * @param {string} text
 */
export function typedNumber(text) {
  const trimmed = text.trim().replace(",", ".");
  const value = Number(trimmed);
  return trimmed === "" || !Number.isFinite(value) ? null : value;
}

/**
 * A clock time that somebody typed as the UTC moment it was: today, or yesterday when it would
 * otherwise lie in the future.
 * @param {string} text hh:mm or hh:mm:ss on this screen's clock
 * @param {Date} now
 * @returns {string|null} ISO 8601, null when it is no time
 */
export function typedTime(text, now) {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (!match) return null;
  const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const at = new Date(now);
  at.setHours(Number(hours), Number(minutes), Number(seconds), 0);
  if (at > now) at.setDate(at.getDate() - 1);
  return at.toISOString();
}

/**
 * A line of the record as it is shown: a phase by its title.
 * @param {{kind: string, text: string}} event
 * @param {{phase: string, title: string}[]} steps
 */
export function eventWords(event, steps) {
  if (event.kind !== "phase") return event.text;
  const step = steps.find((one) => one.phase === event.text);
  return step?.title ?? event.text.replaceAll("_", " ");
}
