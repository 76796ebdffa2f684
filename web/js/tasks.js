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
import { channelsOf } from "./figures.js";
import { needsOf } from "./outcomes.js";
import { eventWords, fixed, timeOfDay, typedNumber } from "./format.js";
import { channelName, t } from "./texts.js";

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

/** The roles of probes that can be held beside a reference. */
const COMPARED_ROLES = ["inflow", "outflow", "reservoir", "exchanger", "site", "core"];

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
  const confirmed = items.map((item) => `${item.id}${item.done}`);
  const compared = (state.room?.compared ?? []).map((one) => `${one.channel}${one.value_c}`);
  const key = [...confirmed, ...compared].join() || "none";
  const titles = new Map(state.room?.steps.map((step) => [step.phase, step.title]));
  const open = items.filter((item) => !item.done);
  const done = items.filter((item) => item.done);
  rebuildOnChange(byId("checks"), key, () =>
    items.length
      ? [...open, ...done].map((item) => checkRow(state, item, titles.get(item.before), send, refuse))
      : [make("li", { text: t.checksNone })],
  );
}

/** All that the next action still needs, in full. @param {PageState} state */
function drawNeeds(state) {
  const action = state.room?.next_action;
  const needs = needsOf(state);
  byId("needs-box").hidden = !needs.length;
  setText(byId("needs-title"), action ? t.neededFor(action.label) : "");
  rebuildOnChange(byId("needs-list"), needs.join() || "none", () =>
    needs.map((need) => make("li", { text: need })),
  );
}

/**
 * @param {PageState} state
 * @param {import("./types.js").ChecklistItem} item
 * @param {string|undefined} before title of the phase
 * @param {Send} send
 * @param {Refuse} refuse
 */
function checkRow(state, item, before, send, refuse) {
  const who = [item.by, item.second].filter(Boolean).join(", ");
  const done = item.skipped ? t.checkSkipped(item.skipped, who) : t.checkDone(who);
  const small = item.done ? done : t.checkBefore(before ?? item.before);
  const row = make(
    "li",
    { "data-check": item.id },
    make("span", { text: `${item.text} ` }),
    make("small", { text: small }),
  );
  if (item.done) return row;
  const field = entry(t.secondName, { "data-keep": `second ${item.id}` });
  const button = make("button", { text: t.confirm });
  button.onclick = () => {
    const second = field.value.trim();
    if (item.names > 1 && !second) return refuse("checks", t.secondMissing);
    const reason = /** @type {HTMLInputElement|null} */ (row.querySelector("[data-reason]"));
    const options = { control: "checks", second, reason: reason?.value.trim() ?? "" };
    void send("confirm_checklist", { item: item.id }, options);
  };
  row.append(make("div", { class: "row" }, ...(item.names > 1 ? [field] : []), button));
  if (item.id === "probe_comparison") row.insertBefore(comparison(state, send, refuse), row.lastChild);
  if (item.id === "audio") row.insertBefore(hearing(), row.lastChild);
  return row;
}

/** The tone is played and heard by the same buttons as beside the room's name. */
function hearing() {
  const play = make("button", { text: t.playTone, "data-testid": "check-audio-play" });
  play.onclick = () => buttonById("audio-test").click();
  const reason = entry(t.withoutSound, { "data-reason": "", "data-keep": "audio reason" });
  return make("div", { class: "comparison" }, make("div", { class: "row" }, play, reason));
}

/**
 * What the reference says: the core compares the circuit's probes, or the one that is named.
 * @param {PageState} state
 * @param {Send} send
 * @param {Refuse} refuse
 */
function comparison(state, send, refuse) {
  const field = entry(t.referenceC, { inputmode: "decimal", "data-keep": "reference" });
  const reason = entry(t.withoutComparison, { "data-reason": "", "data-keep": "reason" });
  const probes = channelsOf(state, COMPARED_ROLES);
  const choice = /** @type {HTMLSelectElement} */ (
    make(
      "select",
      { "aria-label": t.whichProbe },
      make("option", { value: "", text: t.circuitProbes }),
      ...probes.map((probe) => make("option", { value: probe.id, text: channelName(probe) })),
    )
  );
  const button = make("button", { text: t.compare });
  button.onclick = () => {
    const c = typedNumber(field.value);
    if (c === null) return refuse("checks", t.numberMissing);
    const args = { c, ...(choice.value ? { channel: choice.value } : {}) };
    void send("compare_probes", args, { control: "checks" });
  };
  const found = (state.room?.compared ?? []).map((one) =>
    make("li", { text: comparedWords(state, one) }),
  );
  const rows = [
    make("div", { class: "row" }, choice),
    make("div", { class: "row" }, field, button),
    make("ul", {}, ...found),
    reason,
  ];
  return make("div", { class: "comparison" }, ...rows);
}

/** @param {string} label @param {Record<string, string>} attributes @returns {HTMLInputElement} */
const entry = (label, attributes) =>
  /** @type {HTMLInputElement} */ (
    make("input", { "aria-label": label, placeholder: label, autocomplete: "off", ...attributes })
  );

/** @param {PageState} state @param {import("./types.js").Compared} one */
function comparedWords(state, one) {
  const channel = state.channels[one.channel];
  const name = channel ? channelName(channel) : one.channel;
  const off = fixed(one.value_c - one.reference_c, 2);
  return t.compared(name, fixed(one.value_c, 2), off, one.within);
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
