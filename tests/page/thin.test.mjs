/** A long curve is drawn with few points, and loses neither an extreme nor a gap by it. */
import assert from "node:assert/strict";
import test from "node:test";
import { History } from "../../web/js/history.js";

const WHOLE_S = 5400;
const POINTS = 800;

/** @param {(s: number) => number|null} valueAt @param {number} [count] */
function treatment(valueAt, count = WHOLE_S) {
  const history = new History(1);
  for (let s = 0; s < count; s += 1) history.add("pelvis", s, valueAt(s), 3);
  return history;
}

const rows = (/** @type {History} */ history) => history.rows(["pelvis"], 0, POINTS);
const slow = (/** @type {number} */ s) => 42 + Math.sin(s / 600) + 0.02 * Math.sin(s * 3);

/** What a line drawn through the row shows at a time; null in a gap. */
function shownAt([times, row], s) {
  const known = row.flatMap((value, at) => (value === undefined ? [] : [at]));
  const right = known.find((at) => times[at] >= s);
  const left = known.findLast((at) => times[at] <= s);
  if (left === undefined || right === undefined || row[left] === null || row[right] === null) return null;
  if (left === right) return row[left];
  return row[left] + ((row[right] - row[left]) * (s - times[left])) / (times[right] - times[left]);
}

test("ninety minutes of a slow curve are some dozen points, none off by more than a tenth", () => {
  const drawn = rows(treatment(slow));
  assert.equal(drawn[0].length, drawn[1].length);
  assert.ok(drawn[1].filter((value) => typeof value === "number").length < 200);
  for (let s = 0; s < WHOLE_S; s += 7) {
    const shown = shownAt(drawn, s);
    assert.ok(shown !== null && Math.abs(shown - slow(s)) < 0.1, `${s} s: ${shown}`);
  }
});

test("a peak of one second stays, and so does the newest reading", () => {
  const [times, row] = rows(treatment((s) => (s === 2003 ? 46.5 : s === WHOLE_S - 1 ? 43.3 : 42)));
  assert.ok(Math.abs(times[row.indexOf(46.5)] - 2003) < 17);
  assert.deepEqual([times.at(-1), row.at(-1)], [WHOLE_S - 1, 43.3]);
});

test("a gap of one second stays a gap, beginning, middle and end", () => {
  for (const from of [1, 2003, WHOLE_S - 2]) {
    const [, row] = rows(treatment((s) => (s === from ? null : 42)));
    assert.ok(row.includes(null), `${from} s`);
  }
  const [times, row] = rows(treatment((s) => (s >= 1000 && s < 2000 ? null : 42)));
  const gap = times.filter((_, at) => row[at] === null);
  assert.ok(gap[0] < 1017 && gap.at(-1) > 1983);
  assert.equal(shownAt([times, row], 1500), null);
});

test("as time goes on the same stretches are drawn, so that nothing flickers", () => {
  const before = rows(treatment(slow, 4000));
  const after = rows(treatment(slow, 4003));
  assert.deepEqual(after[0].slice(0, 400), before[0].slice(0, 400));
});

test("a channel that came late, or never, is a gap where it was not there", () => {
  const history = treatment(() => 42);
  history.add("core", WHOLE_S - 1, 37, 3);
  const [times, core, none] = history.rows(["core", "nobody"], 0, POINTS);
  assert.equal(core.length, times.length);
  assert.deepEqual([core.at(-1), core.at(0), new Set(none)], [37, null, new Set([null])]);
});
