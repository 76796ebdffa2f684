import assert from "node:assert/strict";
import { test } from "node:test";
import { connection, readingOf, roomIsLive } from "../../web/js/ages.js";
import { coreChannel, coreMark, flowChannel, sitesFigure } from "../../web/js/figures.js";
import { initialState, reduce } from "../../web/js/reduce.js";
import { channel, frame, message, snapshot } from "./room.mjs";

const opened = (overrides) => reduce(snapshot(overrides), initialState(), 0);
const beating = (state, nowMs) => reduce(message({ type: "heartbeat", seq: 10 }), state, nowMs);

test("a value is fresh up to 1.5 s, then grey, and gone after 3 s", () => {
  const state = opened();
  const ageAt = (nowMs) => readingOf(state, state.channels.pelvis, nowMs).age;
  assert.deepEqual([1500, 1501, 3000, 3001].map(ageAt), ["fresh", "grey", "grey", "gone"]);
});

test("a value that is gone leaves no number and says why", () => {
  const state = beating(opened(), 6000);
  const reading = readingOf(state, state.channels.pelvis, 7200);
  assert.equal(reading.value, null);
  assert.match(reading.reason, /no value for 7.s/);
});

test("an invalid reading shows no number even when it is new", () => {
  const state = reduce(
    frame({ pelvis: { value: null, validity: "invalid", reason: "open probe" } }, 2e9),
    opened(),
    100,
  );
  const reading = readingOf(state, state.channels.pelvis, 200);
  assert.deepEqual(reading, { value: null, age: "gone", reason: "open probe" });
});

test("a questionable reading shows its number and its doubt", () => {
  const state = reduce(
    frame({ pelvis: { value: 42.1, validity: "questionable" } }, 2e9),
    opened(),
    100,
  );
  const reading = readingOf(state, state.channels.pelvis, 200);
  assert.equal(reading.value, 42.1);
  assert.equal(reading.reason, "questionable");
});

test("a lost device is told in words that fit its channels; the reason stands in its alarm", () => {
  const devices = { sites: { link: "lost", reason: "cable pulled" } };
  const state = beating(opened({ devices }), 4000);
  assert.equal(readingOf(state, state.channels.pelvis, 4500).reason, "sites: connection lost");
});

test("with two heartbeats missed the page has no connection, so that it stands there within 3 s", () => {
  const state = beating(opened(), 1000);
  assert.equal(connection(state, 3700), "live");
  assert.equal(connection(state, 3701), "lost");
});

test("a page that never heard anything says so after 3 s", () => {
  assert.equal(connection(initialState(), 2699), "connecting");
  assert.equal(connection(initialState(), 3001), "lost");
});

test("snapshots without heartbeats do not make the room live", () => {
  const state = reduce(snapshot({ at_ns: 6e9 }), opened(), 5000);
  assert.equal(roomIsLive(state, 5100), false);
  assert.equal(roomIsLive(beating(state, 5100), 5200), true);
});

/** News of the room's second `atS` that come `lateMs` later than they could. */
const heard = (state, atS, lateMs) => {
  const nowMs = atS * 1000 + lateMs;
  return beating(reduce(snapshot({ at_ns: atS * 1e9 }), state, nowMs), nowMs);
};

test("news that come ever later are as old as they are late, and no live room after 2.7 s", () => {
  let state = heard(initialState(), 1, 40);
  assert.equal(connection(state, 1040), "live");
  state = heard(state, 2, 2540);
  assert.equal(connection(state, 4540), "live");
  state = heard(state, 3, 4040);
  assert.equal(connection(state, 7040), "lost");
  assert.equal(roomIsLive(heard(state, 4, 60), 4061), true, "and live again when they are in time");
});

test("a reading in late news is as old as the news", () => {
  const state = heard(heard(initialState(), 1, 0), 2, 2000);
  const { pelvis } = reduce(frame({ pelvis: { value: 42.1, validity: "valid" } }, 3e9), state, 5000).channels;
  assert.equal(pelvis.receivedMs, 3003, "2 s, less what two clocks may run apart in between");
});

test("two clocks that run apart make no lag in a day", () => {
  let state = heard(initialState(), 1, 0);
  for (let minute = 1; minute <= 24 * 60; minute += 1) {
    state = heard(state, 1 + minute * 60, minute * 60 * 0.2);
    assert.ok(state.lagMs < 1);
  }
});

test("the sites figure is the mean of the valid sites with lowest and highest", () => {
  const figure = sitesFigure(opened(), 100);
  assert.equal(figure.value.toFixed(2), "42.70");
  assert.deepEqual([figure.min, figure.max, figure.used, figure.all], [42.4, 43.0, 2, 2]);
});

test("a lost site drops out of the mean and is counted", () => {
  const state = reduce(
    frame({ pelvis: { value: null, validity: "invalid", reason: "open probe" } }, 2e9),
    opened(),
    100,
  );
  const figure = sitesFigure(state, 200);
  assert.deepEqual([figure.value, figure.used, figure.all], [43.0, 1, 2]);
});

test("the mean is grey as soon as one of its sites is", () => {
  const fresh = frame({ pelvis: { value: 42.5, validity: "valid" } }, 3e9);
  const state = reduce(fresh, opened(), 2000);
  assert.equal(sitesFigure(state, 2100).age, "grey");
});

test("with no site left there is a dash and not the last mean", () => {
  const figure = sitesFigure(opened(), 5000);
  assert.deepEqual([figure.value, figure.age], [null, "gone"]);
});

test("the nasopharynx decides over the bladder and is not replaced when it is lost", () => {
  const lost = frame({ nasopharynx: { value: null, validity: "invalid" } }, 2e9, "circuit");
  assert.equal(coreChannel(reduce(lost, opened(), 100)).id, "nasopharynx");
});

test("measured flow is preferred to what the pump calculates", () => {
  const channels = {
    pump_flow: channel("flow", "", { unit: "ml/min", value: 1500, measured: false }),
    clamp_on: channel("flow", "", { unit: "ml/min", value: 1480 }),
  };
  assert.equal(flowChannel(opened({ channels })).id, "clamp_on");
});

test("a core at the first step of its ladder is marked without an alarm", () => {
  const state = opened({ core: { steps: [{ limit_c: 38 }, { limit_c: 39 }] } });
  assert.deepEqual([coreMark(state, 38.0), coreMark(state, 37.9), coreMark(state, null)], ["above 38.0", "", ""]);
  assert.equal(coreMark(opened({ core: null }), 39.0), "");
});
