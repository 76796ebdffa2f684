/**
 * The phases in their order and the one thing to do next.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 */
import { roomIsLive } from "./ages.js";
import { buttonById, byId, inputById, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { t } from "./texts.js";

/** The next action may not become another one under a finger that is on its way. */
const CHANGE_GUARD_MS = 400;

let shownKey = "";
let shownSinceMs = -Infinity;

/** @param {PageState} state @param {number} nowMs */
export function drawStepper(state, nowMs) {
  const room = state.room;
  const steps = room?.steps ?? [];
  const current = steps.find((step) => step.state === "current");
  setText(byId("phase-current"), current?.title ?? (room?.phase || t.noSession));
  setAttribute(byId("phase-current"), "data-phase", room?.phase ?? "");
  setText(byId("phase-side"), room ? (t.sideStates[room.side_state] ?? "") : "");
  const key = steps.map((step) => step.phase + step.state).join();
  rebuildOnChange(byId("steps"), key, () =>
    steps.map((step) => make("li", { "data-state": step.state, text: step.title })),
  );
  drawNextAction(state, nowMs);
  const paused = room?.side_state === "pause" || room?.side_state === "heat_hold";
  buttonById("pause").disabled = !room?.session || room.side_state === "pause";
  buttonById("resume").disabled = !room?.session || !paused;
  buttonById("abort").disabled = !room?.session;
}

/** @param {PageState} state @param {number} nowMs */
function drawNextAction(state, nowMs) {
  const action = state.room?.next_action;
  const button = buttonById("next-action");
  const key = action ? action.name + JSON.stringify(action.args) : "";
  if (key !== shownKey) {
    shownKey = key;
    shownSinceMs = nowMs;
  }
  const waiting = state.room?.session ? t.noNextAction : t.startBelow;
  setText(button, action?.label ?? waiting);
  button.disabled = !action?.enabled || !roomIsLive(state, nowMs);
  const names = action?.names ?? [];
  byId("agree").hidden = !names.length;
  byId("agree-anesthesia-box").hidden = !names.includes("anesthesia");
}

/** Resume, with the names of those who have to agree to it. @param {PageState} state @param {Send} send */
async function resume(state, send) {
  const names = state.room?.next_action?.names ?? [];
  const typed = (/** @type {string} */ name) => inputById(`agree-${name}`).value.trim();
  const given = names.filter(typed).map((name) => [name, typed(name)]);
  const options = names.length ? { control: "phase", reason: typed("reason") } : { control: "phase" };
  if ((await send("resume", Object.fromEntries(given), options)) && names.length) {
    for (const name of ["reason", "surgeon", "anesthesia"]) inputById(`agree-${name}`).value = "";
  }
}

/** @param {() => PageState} current @param {Send} send */
export function wireStepper(current, send) {
  buttonById("next-action").onclick = () => {
    const action = current().room?.next_action;
    if (!action?.enabled || performance.now() - shownSinceMs < CHANGE_GUARD_MS) return;
    if (action.name === "resume") return void resume(current(), send);
    send(action.name, action.args, { control: "phase" });
  };
  for (const name of ["pause", "abort"]) {
    buttonById(name).onclick = () => send(name, {}, { control: "phase" });
  }
  buttonById("resume").onclick = () => void resume(current(), send);
}
