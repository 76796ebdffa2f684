/**
 * The bottom bar: who moves the heat, the two set-points, heat off and stop.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 * @typedef {import("./commands.js").Refuse} Refuse
 *
 * @typedef {object} SetPoint
 * @property {string} name        the elements are `<name>-set`, `-down`, `-up`, `-send`
 * @property {string} command
 * @property {string} argument
 * @property {number} step        in what is shown
 * @property {number} decimals
 * @property {number} perShown    wire units in one shown unit
 * @property {(state: PageState) => number|null|undefined} current in wire units
 */
import { roomIsLive } from "./ages.js";
import { buttonById, byId, inputById, setAttribute, setText } from "./dom.js";
import { DASH, typedNumber } from "./format.js";
import { t } from "./texts.js";

/** @type {SetPoint[]} */
const SET_POINTS = [
  {
    name: "inflow",
    command: "set_inflow",
    argument: "c",
    step: 0.1,
    decimals: 1,
    perShown: 1,
    current: (state) => state.room?.heat.requested_c ?? state.room?.heat.granted_c,
  },
  {
    name: "flow",
    command: "set_flow",
    argument: "ml_min",
    step: 0.05,
    decimals: 2,
    perShown: 1000,
    current: (state) => state.room?.pump.flow_set_ml_min,
  },
];

/** @param {PageState} state @param {number} nowMs */
export function drawControls(state, nowMs) {
  const live = roomIsLive(state, nowMs);
  const mode = state.room?.controller ?? "";
  setText(byId("controller"), live ? (t.controllers[mode] ?? mode) : DASH);
  for (const button of document.querySelectorAll("[data-controller]")) {
    const pressed = live && button.getAttribute("data-controller") === mode;
    setAttribute(button, "aria-pressed", String(pressed));
  }
  for (const setPoint of SET_POINTS) showCurrent(setPoint, state, live);
}

/**
 * What is being typed stays; otherwise the field follows the room, and is empty without it.
 * @param {SetPoint} setPoint
 * @param {PageState} state
 * @param {boolean} live
 */
function showCurrent(setPoint, state, live) {
  const input = inputById(`${setPoint.name}-set`);
  if (input.dataset["dirty"] === "true") return;
  const value = live ? setPoint.current(state) : null;
  const shown =
    typeof value === "number" ? (value / setPoint.perShown).toFixed(setPoint.decimals) : "";
  if (input.value !== shown) input.value = shown;
}

/** @param {() => PageState} current @param {Send} send @param {Refuse} refuse */
export function wireControls(current, send, refuse) {
  for (const button of document.querySelectorAll("[data-controller]")) {
    button.addEventListener("click", () => {
      const mode = button.getAttribute("data-controller");
      send("set_controller", { mode }, { control: "mode" });
    });
  }
  for (const setPoint of SET_POINTS) wireSetPoint(setPoint, current, send, refuse);
  buttonById("heat-off").onclick = () => send("heater_off", {}, { control: "halt" });
  buttonById("stop").onclick = () => send("stop", {}, { control: "halt" });
}

/**
 * @param {SetPoint} setPoint
 * @param {() => PageState} current
 * @param {Send} send
 * @param {Refuse} refuse
 */
function wireSetPoint(setPoint, current, send, refuse) {
  const { name, step, decimals } = setPoint;
  const input = inputById(`${name}-set`);
  const dirty = (/** @type {boolean} */ is) => setAttribute(input, "data-dirty", String(is));
  const move = (/** @type {number} */ by) => {
    const from = typedNumber(input.value);
    if (from === null) return input.focus();
    input.value = (from + by).toFixed(decimals);
    dirty(true);
  };
  const submit = () => {
    const value = typedNumber(input.value);
    if (value === null) return refuse(name, t.numberMissing);
    const typed = input.value;
    const wire = Number((value * setPoint.perShown).toFixed(3));
    const sent = send(setPoint.command, { [setPoint.argument]: wire }, { control: name });
    void sent.then((taken) => taken && input.value === typed && dirty(false));
  };
  input.oninput = () => dirty(true);
  input.onkeydown = (event) => {
    if (event.key === "Enter") submit();
    if (event.key !== "Escape") return;
    dirty(false);
    showCurrent(setPoint, current(), roomIsLive(current(), performance.now()));
  };
  buttonById(`${name}-down`).onclick = () => move(-step);
  buttonById(`${name}-up`).onclick = () => move(step);
  buttonById(`${name}-send`).onclick = submit;
}
