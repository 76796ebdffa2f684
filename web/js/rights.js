/**
 * Who this page is, who has control, and what may therefore be pressed. Stop, heat off and
 * acknowledge are never taken away here: the service alone refuses them.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 * @typedef {import("./commands.js").Refuse} Refuse
 */
import { buttonById, byId, inputById, setAttribute, setText } from "./dom.js";
import { t } from "./texts.js";

/**
 * True unless the service has said that this page may not give the command.
 * @param {PageState} state
 * @param {string} command
 */
export const may = ({ you }, command) => !you || you.may.includes(command);

/**
 * One line: who is here, and who may move things.
 * @param {PageState} state
 */
export function whoWords({ you, room }) {
  if (!you) return "";
  if (!you.station) return t.remotePage;
  if (you.idle) return t.idle;
  if (!you.name) return t.nobodySignedIn;
  if (you.holder) return t.youHaveControl(you.name);
  const { holder, offered_to: offered } = room?.control ?? { holder: null, offered_to: "" };
  if (!holder) return t.nobodyHasControl(you.name);
  return offered === you.name ? t.controlOffered(holder) : t.otherHasControl(you.name, holder);
}

/** Runs after all other panels: takes away what this page may not do. @param {PageState} state */
export function drawRights(state) {
  setText(byId("who"), whoWords(state));
  setAttribute(byId("who"), "data-holder", String(state.you?.holder ?? true));
  for (const button of document.querySelectorAll("[data-controller]")) {
    /** @type {HTMLButtonElement} */ (button).disabled = !may(state, "set_controller");
  }
  for (const name of ["inflow", "flow"]) {
    buttonById(`${name}-send`).disabled = !may(state, `set_${name}`);
  }
  for (const [id, command] of [
    ["pause", "pause"],
    ["resume", "resume"],
    ["abort", "abort"],
    ["next-action", state.room?.next_action?.name ?? ""],
    ["setup-start", "open_session"],
    ["sign-close", "close_session"],
    ["go-early", "start_phase"],
  ]) {
    if (id && command && !may(state, command)) buttonById(id).disabled = true;
  }
  for (const [id, command] of /** @type {const} */ ([
    ["take-control", "take_control"],
    ["hand-over", "hand_over"],
    ["release-control", "release_control"],
    ["note-save", "note"],
    ["volume-enter", "volume"],
    ["core-enter", "enter_core"],
  ])) {
    buttonById(id).disabled = !may(state, command);
  }
}

/** @param {Send} send @param {Refuse} refuse */
export function wireRights(send, refuse) {
  const reason = () => inputById("control-reason");
  buttonById("take-control").onclick = async () => {
    const given = reason().value.trim();
    if (await send("take_control", {}, { control: "control", reason: given })) reason().value = "";
  };
  buttonById("hand-over").onclick = () => {
    const to = reason().value.trim();
    if (!to) return refuse("control", t.nameMissing);
    void send("hand_over", { to }, { control: "control" });
  };
  buttonById("release-control").onclick = () =>
    send("release_control", {}, { control: "control" });
}
