/**
 * What became of commands, in words: beside the control that gave them, and as three lights.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Command} Command
 */
import { byId, setAttribute, setText } from "./dom.js";
import { fitWords } from "./fit.js";
import { fixed, timeOfDay } from "./format.js";
import { t } from "./texts.js";

/** How far each state has come on the three lights; a refused command lights none. */
const LIGHTS = {
  requested: ["true", "false", "false"],
  sent: ["true", "true", "false"],
  confirmed: ["true", "true", "true"],
  refused: ["no", "false", "false"],
  unknown: ["true", "true", "no"],
};

/** Commands whose `requested` is a flow in ml/min, shown in L/min. */
const IN_LITRES = new Set(["set_flow"]);

/** Controls that say every step in words: the element is `message-<control>`. */
const CONTROLS = [
  "setup",
  "sign",
  "checks",
  "drug",
  "volumes",
  "note",
  "control",
  "mode",
  "inflow",
  "flow",
  "halt",
];

/** @param {Command} command @param {number|null|undefined} value */
const amount = (command, value) =>
  IN_LITRES.has(command.name)
    ? fixed(value === null || value === undefined ? null : value / 1000, 2)
    : fixed(value, 1);

/**
 * Granted value, what limited it and why, as one line.
 * @param {Command} command
 */
export function detailOf(command) {
  const parts = [];
  if (command.reason) parts.push(command.reason);
  if (typeof command.requested === "number") {
    parts.push(t.asked(amount(command, command.requested)));
  }
  if (typeof command.granted === "number") parts.push(t.granted(amount(command, command.granted)));
  if (command.limited_by) parts.push(`(${command.limited_by})`);
  return parts.join(" ");
}

/**
 * The state and the words of the last command that a control of this page gave.
 * @param {PageState} state
 * @param {string} control
 * @returns {{state: string, text: string}}
 */
export function outcomeOf(state, control) {
  const asked = state.asked[control];
  if (!asked) return { state: "", text: "" };
  if (asked.failure) return { state: "refused", text: asked.failure };
  const command = state.commands.find((one) => one.key === asked.key);
  if (!command) return { state: "requested", text: t.sending };
  const name = t.commands[command.name] ?? command.name;
  const words = `${name}: ${t.commandStates[command.state]}`;
  const why = ["refused", "unknown"].includes(command.state) ? command.reason : "";
  return { state: command.state, text: why ? `${words}. ${why}` : words };
}

/**
 * Where the page itself shows success, only what went wrong needs words.
 * @param {PageState} state
 * @param {string} control
 */
function troubleOf(state, control) {
  const outcome = outcomeOf(state, control);
  return ["refused", "unknown"].includes(outcome.state) ? outcome : { state: "", text: "" };
}

/** @param {PageState} state */
export function drawOutcomes(state) {
  for (const control of CONTROLS) say(control, outcomeOf(state, control));
  for (const place of ["banner", "alarms"]) say(place, troubleOf(state, "banner"));
  sayNeeds(state);
  drawLights(state.commands[0]);
}

/** How the service's sentence about open checks begins; the page has the checks themselves. */
const ABOUT_CHECKS = "checklist: ";

/**
 * What the next action still needs, one by one, checks first.
 * @param {PageState} state
 * @returns {string[]}
 */
export function needsOf({ room }) {
  const action = room?.next_action;
  if (!room || !action || action.enabled) return [];
  const others = action.needs.filter((need) => !need.startsWith(ABOUT_CHECKS));
  if (others.length === action.needs.length) return others;
  const open = room.checklist.filter((item) => !item.done && item.before === action.args["phase"]);
  return [...open.map((item) => item.text), ...others];
}

/**
 * Beside the next action stand its needs, as many as fit: all of them are on the checks' tab. A
 * refusal of what was pressed there comes first.
 * @param {PageState} state
 */
function sayNeeds(state) {
  const place = byId("next-needs");
  const trouble = troubleOf(state, "phase");
  const needs = needsOf(state);
  setAttribute(place, "data-state", trouble.state);
  if (trouble.text) fitWords(place, [trouble.text], t.andMore);
  else fitWords(place, needs, t.andMoreChecks, needs.length ? t.needs : "");
}

/** @param {string} control @param {{state: string, text: string}} outcome */
function say(control, outcome) {
  const place = byId(`message-${control}`);
  setAttribute(place, "data-state", outcome.state);
  setText(place, outcome.text);
}

/** @param {Command|undefined} command */
function drawLights(command) {
  const lit = command ? LIGHTS[command.state] : ["false", "false", "false"];
  ["requested", "sent", "confirmed"].forEach((name, index) => {
    setAttribute(byId(`light-${name}`), "data-lit", lit[index] ?? "false");
  });
  setAttribute(byId("last"), "data-state", command?.state ?? "");
  setAttribute(byId("last-detail"), "data-state", command?.state ?? "");
  setText(byId("last-name"), command ? titleOf(command) : t.noCommand);
  setText(byId("last-detail"), command ? detailOf(command) : "");
}

/** @param {Command} command */
function titleOf(command) {
  const name = t.commands[command.name] ?? command.name;
  const at = command.at_utc ? ` ${timeOfDay(command.at_utc)}` : "";
  return `${name}${at} – ${t.commandStates[command.state]}`;
}
