/**
 * Where we are: room, mode, connection, protocol, theme, what is not guarded, what limits heat.
 *
 * @typedef {import("./types.js").PageState} PageState
 */
import { connection, roomIsLive } from "./ages.js";
import { byId, make, rebuildOnChange, setAttribute, setText } from "./dom.js";
import { fitWords } from "./fit.js";
import { DASH, fixed } from "./format.js";
import { t } from "./texts.js";

const THEMES = /** @type {const} */ (["dark", "light", "auto"]);
const THEME_KEY = "hipec-theme";

/** @param {PageState} state @param {number} nowMs */
export function drawRoom(state, nowMs) {
  const { room, mode } = state;
  const words = /** @type {Record<string, string>} */ (t.modeMark);
  const notes = /** @type {Record<string, string>} */ (t.modeNote);
  setAttribute(byId("mode-mark"), "data-mode", mode);
  setText(byId("mode-word"), words[mode] ?? mode.toUpperCase());
  setText(byId("mode-note"), notes[mode] ?? "");
  setText(byId("mode-speed"), room && room.speed !== 1 ? t.speedMark(room.speed) : "");
  setText(byId("room-name"), state.id);
  const link = connection(state, nowMs);
  const linkWords = { live: t.connected, connecting: t.connecting, lost: t.noConnectionMark };
  setAttribute(byId("connection"), "data-state", link);
  setText(byId("connection"), linkWords[link]);
  setText(byId("room-protocol"), room ? protocolWords(room) : "");
  if (state.id) document.title = t.pageTitle(state.id);
}

/** @param {import("./types.js").Room} room */
function protocolWords(room) {
  if (!room.protocol) return t.noProtocol;
  const named = room.technique && room.title.toLowerCase().includes(room.technique);
  const technique = room.technique && !named ? t[room.technique] : "";
  const envelope = room.envelope ? t.widened(room.envelope) : "";
  return [room.title || room.protocol, technique, envelope].filter(Boolean).join(" · ");
}

/** @param {PageState} state */
export function drawGuarded(state) {
  const list = state.room?.not_guarded ?? [];
  const title = list.length ? t.notGuarded(list.length) : t.guardedAll;
  setText(byId("guarded-title"), state.room ? title : "");
  fitWords(byId("guarded"), list.map((one) => one.hazard), t.andMoreChecks);
  const key = list.map((one) => one.hazard + one.why).join();
  rebuildOnChange(byId("guarded-why"), key, () =>
    list.map((one) => make("li", {}, make("b", { text: one.hazard }), make("small", { text: ` ${one.why}` }))),
  );
}

/** @param {PageState} state @param {number} nowMs */
export function drawHeat(state, nowMs) {
  const room = roomIsLive(state, nowMs) ? state.room : null;
  if (!room) {
    setText(byId("heat-state"), DASH);
    setText(byId("heat-limits"), t.noLiveValues);
    setText(byId("heat-advice"), "");
    return;
  }
  const { heat, pump } = room;
  const parts = [heat.on ? t.heatOn : t.heatOff];
  if (heat.requested_c !== null) parts.push(t.asked(fixed(heat.requested_c, 1)));
  if (heat.granted_c !== null) parts.push(t.granted(fixed(heat.granted_c, 1)));
  if (heat.bath_set_c !== null) parts.push(t.bathSet(fixed(heat.bath_set_c, 1)));
  parts.push(pump.on ? t.pumpOn : t.pumpOff);
  setText(byId("heat-state"), parts.join(" · "));
  setText(byId("heat-limits"), limitWords(room));
  setText(byId("heat-advice"), heat.advice);
}

/** @param {import("./types.js").Room} room */
function limitWords({ heat, pump }) {
  if (heat.waits_for) return t.waitsFor(heat.waits_for);
  if (heat.limited_by) return t.limitedBy(heat.limited_by);
  if (pump.limited_by) return t.limitedBy(pump.limited_by);
  return heat.on ? t.nothingLimits : "";
}

/** @param {() => void} onChange the colours of canvases must be drawn anew */
export function wireTheme(onChange) {
  const root = document.documentElement;
  const button = byId("theme");
  const show = (/** @type {string} */ theme) => {
    setAttribute(root, "data-theme", theme);
    setText(button, /** @type {Record<string, string>} */ (t.theme)[theme] ?? theme);
    setAttribute(button, "aria-label", `${button.textContent}, ${t.labels.colourTheme}`);
    onChange();
  };
  button.onclick = () => {
    const now = THEMES.findIndex((theme) => theme === root.dataset["theme"]);
    const next = THEMES[(now + 1) % THEMES.length] ?? "dark";
    localStorage.setItem(THEME_KEY, next);
    show(next);
  };
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", onChange);
  show(localStorage.getItem(THEME_KEY) ?? "dark");
}
