/**
 * The tabs on the right: checks, volumes and core by hand, notes, the log. Nothing switches by
 * itself; what is open is counted on the tab.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 * @typedef {import("./commands.js").Refuse} Refuse
 */
import {
  buttonById,
  byId,
  inputById,
  make,
  rebuildOnChange,
  setAttribute,
  setText,
} from "./dom.js";
import { eventWords, timeOfDay, typedNumber } from "./format.js";
import { t } from "./texts.js";

/** Kinds of volume as the ledger counts them. */
const VOLUME_KINDS = [
  "in",
  "prime",
  "drug",
  "rinse_in",
  "out",
  "drained",
  "rinse_out",
  "sample",
  "spill",
];

const TABS = ["alarms", "checks", "drug", "volumes", "note", "log"];

/** @param {PageState} state @param {Send} send @param {Refuse} refuse */
export function drawTasks(state, send, refuse) {
  drawChecks(state, send, refuse);
  buttonById("go-early").disabled = state.room?.next_action?.name !== "start_phase";
  drawLog(state);
}

/** @param {PageState} state @param {Send} send @param {Refuse} refuse */
function drawChecks(state, send, refuse) {
  drawNeeds(state);
  const items = state.room?.checklist ?? [];
  setText(byId("tab-checks"), t.tabChecks(items.filter((item) => !item.done).length));
  byId("guarded-why-title").hidden = !state.room?.not_guarded.length;
  const key = items.map((item) => `${item.id}${item.done}`).join() || "none";
  const titles = new Map(state.room?.steps.map((step) => [step.phase, step.title]));
  const open = items.filter((item) => !item.done);
  const done = items.filter((item) => item.done);
  rebuildOnChange(byId("checks"), key, () =>
    items.length
      ? [...open, ...done].map((item) => checkRow(item, titles.get(item.before), send, refuse))
      : [make("li", { text: t.checksNone })],
  );
}

/** All that the next action still needs, in full. @param {PageState} state */
function drawNeeds(state) {
  const action = state.room?.next_action;
  const needs = action && !action.enabled ? action.needs : [];
  byId("needs-box").hidden = !needs.length;
  setText(byId("needs-title"), action ? t.neededFor(action.label) : "");
  rebuildOnChange(byId("needs-list"), needs.join() || "none", () =>
    needs.map((need) => make("li", { text: need })),
  );
}

/**
 * @param {import("./types.js").ChecklistItem} item
 * @param {string|undefined} before title of the phase
 * @param {Send} send
 * @param {Refuse} refuse
 */
function checkRow(item, before, send, refuse) {
  const who = [item.by, item.second].filter(Boolean).join(", ");
  const done = item.skipped ? t.checkSkipped(who, item.skipped) : t.checkDone(who);
  const small = item.done ? done : t.checkBefore(before ?? item.before);
  const row = make(
    "li",
    { "data-check": item.id },
    make("span", { text: `${item.text} ` }),
    make("small", { text: small }),
  );
  if (item.done) return row;
  const label = t.secondName;
  const field = /** @type {HTMLInputElement} */ (
    make("input", { "aria-label": label, placeholder: label, autocomplete: "off" })
  );
  const button = make("button", { text: t.confirm });
  button.onclick = () => {
    const second = field.value.trim();
    if (item.names > 1 && !second) return refuse("checks", t.secondMissing);
    send("confirm_checklist", { item: item.id }, { control: "checks", second });
  };
  if (item.id === "probe_comparison") row.append(comparison(send, refuse), skipping(item, send, refuse));
  else row.append(make("div", { class: "row" }, ...(item.names > 1 ? [field] : []), button));
  return row;
}

/**
 * Going on without the comparison, for a reason that the record and the strip keep.
 * @param {import("./types.js").ChecklistItem} item
 * @param {Send} send
 * @param {Refuse} refuse
 */
function skipping(item, send, refuse) {
  const label = t.skipWhy;
  const field = /** @type {HTMLInputElement} */ (
    make("input", { "aria-label": label, placeholder: label, autocomplete: "off" })
  );
  const button = make("button", { text: t.skip });
  button.onclick = () => {
    const reason = field.value.trim();
    if (!reason) return refuse("checks", t.skipWhyMissing);
    send("confirm_checklist", { item: item.id }, { control: "checks", reason });
  };
  return make("div", { class: "row" }, field, button);
}

/** What the reference says: the core compares the circuit's probes with it. @param {Send} send @param {Refuse} refuse */
function comparison(send, refuse) {
  const label = t.referenceC;
  const field = /** @type {HTMLInputElement} */ (
    make("input", { "aria-label": label, placeholder: label, inputmode: "decimal", autocomplete: "off" })
  );
  const button = make("button", { text: t.compare });
  button.onclick = () => {
    const c = typedNumber(field.value);
    if (c === null) return refuse("checks", t.numberMissing);
    send("compare_probes", { c }, { control: "checks" });
  };
  return make("div", { class: "row" }, field, button);
}

/** Newest first. @param {PageState} state */
function drawLog(state) {
  const steps = state.room?.steps ?? [];
  const events = state.room?.events ?? [];
  const key = events.length ? `${events.length}${events.at(-1)?.at_utc}` : "none";
  rebuildOnChange(byId("log"), key, () =>
    events.length
      ? [...events]
          .reverse()
          .map((event) =>
            make(
              "li",
              {},
              make("small", { text: `${timeOfDay(event.at_utc)} ` }),
              make("span", { text: eventWords(event, steps) }),
              make("small", { text: event.by ? ` – ${event.by}` : "" }),
            ),
          )
      : [make("li", { text: t.logEmpty })],
  );
}

/** @param {() => PageState} current @param {Send} send @param {Refuse} refuse */
export function wireTasks(current, send, refuse) {
  for (const name of TABS) buttonById(`tab-${name}`).onclick = () => openTab(name);
  byId("tabs").addEventListener("keydown", moveByArrow);
  openTab("alarms");
  const kinds = /** @type {HTMLSelectElement} */ (byId("volume-kind"));
  kinds.replaceChildren(
    ...VOLUME_KINDS.map((kind) => make("option", { value: kind, text: t.volumeKinds[kind] ?? kind })),
  );
  buttonById("volume-enter").onclick = () =>
    enter("volume-ml", refuse, (ml) =>
      send("volume", { kind: kinds.value, ml }, { control: "volumes" }),
    );
  buttonById("core-enter").onclick = () =>
    enter("core-c", refuse, (c) => send("enter_core", { c }, { control: "volumes" }));
  buttonById("note-save").onclick = () =>
    withNote(refuse, (text) => send("note", { text }, { control: "note" }));
  buttonById("go-early").onclick = () => {
    const action = current().room?.next_action;
    if (!action) return refuse("note", t.noNextAction);
    withNote(refuse, (reason) => send(action.name, action.args, { control: "note", reason }));
  };
}

/** @param {string} name */
function openTab(name) {
  for (const tab of TABS) {
    setAttribute(byId(`tab-${tab}`), "aria-selected", String(tab === name));
    byId(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    byId(`pane-${tab}`).hidden = tab !== name;
  }
}

/** @param {KeyboardEvent} event */
function moveByArrow(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const now = TABS.findIndex((tab) => !byId(`pane-${tab}`).hidden);
  const next = TABS[(now + by + TABS.length) % TABS.length] ?? "alarms";
  openTab(next);
  byId(`tab-${next}`).focus();
}

/**
 * What was typed stays until it has been taken.
 * @param {string} id
 * @param {Refuse} refuse
 * @param {(value: number) => Promise<boolean>} give
 */
async function enter(id, refuse, give) {
  const input = inputById(id);
  const typed = input.value;
  const value = typedNumber(typed);
  if (value === null) return refuse("volumes", t.numberMissing);
  if ((await give(value)) && input.value === typed) input.value = "";
}

/** @param {Refuse} refuse @param {(text: string) => Promise<boolean>} give */
async function withNote(refuse, give) {
  const field = /** @type {HTMLTextAreaElement} */ (byId("note-text"));
  const typed = field.value;
  if (!typed.trim()) return refuse("note", t.textMissing);
  if ((await give(typed.trim())) && field.value === typed) field.value = "";
}
