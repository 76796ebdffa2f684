import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, reduce } from "../../web/js/reduce.js";
import { alarm, frame, message, snapshot } from "./room.mjs";

const play = (...steps) =>
  steps.reduce((state, [body, nowMs]) => reduce(body, state, nowMs), initialState());

test("before the first message nothing is known", () => {
  const state = initialState();
  assert.equal(state.room, null);
  assert.deepEqual(state.channels, {});
});

test("a snapshot tells room, mode and channels", () => {
  const state = play([snapshot(), 0]);
  assert.equal(state.id, "or-3");
  assert.equal(state.mode, "demo");
  assert.equal(state.room.phase, "perfuse");
  assert.equal(state.channels.pelvis.value, 42.4);
});

test("a frame replaces the value and its age starts anew", () => {
  const state = play(
    [snapshot(), 0],
    [frame({ pelvis: { value: 42.9, validity: "valid" } }, 2_000_000_000), 1000],
  );
  assert.equal(state.channels.pelvis.value, 42.9);
  assert.equal(state.channels.pelvis.receivedMs, 1000);
  assert.equal(state.channels.mid_abdomen.receivedMs, 0);
});

test("a snapshot that repeats an old value does not make it younger", () => {
  const state = play([snapshot(), 0], [snapshot({ at_ns: 6_000_000_000 }), 5000]);
  assert.equal(state.channels.pelvis.receivedMs, 0);
});

test("a page that joins late books the age that a value already had", () => {
  const state = play([snapshot({ at_ns: 5_000_000_000 }), 10_000]);
  assert.equal(state.channels.pelvis.receivedMs, 6000);
});

test("a snapshot older than the newest frame keeps the frame's value", () => {
  const newer = frame({ pelvis: { value: 43.1, validity: "valid" } }, 2_000_000_000);
  const state = play([snapshot(), 0], [newer, 1000], [snapshot(), 1100]);
  assert.equal(state.channels.pelvis.value, 43.1);
});

test("frames that arrive out of order do not bring an old value back", () => {
  const newer = frame({ pelvis: { value: 43.1, validity: "valid" } }, 3_000_000_000);
  const older = frame({ pelvis: { value: 42.0, validity: "valid" } }, 2_000_000_000);
  const state = play([snapshot(), 0], [newer, 1000], [older, 1010]);
  assert.equal(state.channels.pelvis.value, 43.1);
});

test("after a restart of the host its smaller clock is believed", () => {
  const rebooted = { ...snapshot({ at_ns: 900 }), boot: "boot-2" };
  rebooted.state.channels.pelvis = { ...rebooted.state.channels.pelvis, at_ns: 900, value: 41 };
  const state = play([snapshot(), 0], [rebooted, 9000]);
  assert.equal(state.channels.pelvis.value, 41);
  assert.equal(state.channels.pelvis.receivedMs, 9000);
});

test("the highest alarm stands first, acknowledged ones behind those that still call", () => {
  const state = play(
    [snapshot({ alarms: [alarm("a", "low"), alarm("b", "high", "acknowledged")] }), 0],
    [message({ type: "alarm", ...alarm("c", "high"), seq: 11, event: "onset" }), 10],
    [message({ type: "alarm", ...alarm("d", "medium"), seq: 12, event: "onset" }), 20],
  );
  assert.deepEqual(
    state.alarms.map((one) => one.occurrence),
    ["c", "b", "d", "a"],
  );
});

test("a cleared alarm leaves, a latched one stays", () => {
  const change = (presence, seq) =>
    message({ type: "alarm", ...alarm("a", "high", presence), seq, event: "cleared" });
  const latched = play([snapshot({ alarms: [alarm("a", "high")] }), 0], [change("latched", 11), 5]);
  assert.equal(latched.alarms[0].presence, "latched");
  assert.deepEqual(reduce(change("off", 12), latched, 10).alarms, []);
});

test("an event that a snapshot has overtaken does not undo it", () => {
  const late = message({ type: "alarm", ...alarm("a", "high"), seq: 9, event: "onset" });
  assert.deepEqual(play([snapshot(), 0], [late, 5]).alarms, []);
});

test("a command goes from requested over sent to confirmed in one place", () => {
  const step = (state, seq, granted) =>
    message({ type: "command", key: "k", name: "set_inflow", state, requested: 45, granted, seq });
  const state = play(
    [snapshot(), 0],
    [step("requested", 11, null), 1],
    [step("sent", 12, 44.5), 2],
    [step("confirmed", 13, 44.5), 3],
  );
  assert.equal(state.commands.length, 1);
  assert.equal(state.commands[0].state, "confirmed");
  assert.equal(state.commands[0].granted, 44.5);
});

test("a failure belongs only to the newest press of its control", () => {
  const asked = (key) => ({ type: "asked", control: "flow", key, name: "set_flow" });
  const failed = (key) => ({ type: "failed", control: "flow", key, reason: "No answer." });
  const state = play([asked("one"), 0], [asked("two"), 1], [failed("one"), 2]);
  assert.equal(state.asked.flow.failure, "");
  assert.equal(reduce(failed("two"), state, 3).asked.flow.failure, "No answer.");
});

test("a message of a newer version changes nothing and is noticed", () => {
  const state = play([snapshot(), 0], [{ ...snapshot({ phase: "drain" }), v: 2 }, 5]);
  assert.equal(state.outdated, true);
  assert.equal(state.room.phase, "perfuse");
});

test("an unknown kind of message changes nothing", () => {
  const state = play([snapshot(), 0]);
  assert.equal(reduce(message({ type: "news", seq: 99 }), state, 5), state);
});
