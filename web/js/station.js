/**
 * What makes a page an alarm display: it sounds, is watched, and says so; any other page says that
 * it is for information only. One module for every page; its elements are `audio-…`, `reliance`
 * and `away`.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./types.js").Alarm} Alarm
 */
import { HEARTBEAT_LIMIT_MS, connection } from "./ages.js";
import { Sound } from "./audio.js";
import { buttonById, byId, setAttribute, setText } from "./dom.js";
import { clock } from "./format.js";
import { categoryOf } from "./sound.js";
import { t } from "./texts.js";

const AWAY_SHOWN_MS = 60_000;
/** A person may silence the loss of the connection as long as an alarm. */
const SILENCED_S = 120;

/** What the station of a display of this kind is enrolled for. */
const SCREENS = { perfusion: "perfusionist", anesthesia: "anesthesia" };

/**
 * Whether the room counts on this page: it is at an enrolled station, whoever is signed in there,
 * and shows what the station is for.
 * @param {PageState} state
 * @param {"perfusion"|"anesthesia"} kind
 */
export function isPrimary({ you }, kind) {
  return Boolean(you?.station) && (you?.screen ?? you?.role) === SCREENS[kind];
}

/**
 * The alarm that sounds on a page that draws these, none while the sound is paused.
 * @param {PageState} state
 * @param {Alarm[]} alarms highest first
 * @param {number} nowMs
 */
export function soundingOf(state, alarms, nowMs) {
  if (connection(state, nowMs) === "lost" || pausedS(state, nowMs) > 0) return null;
  return alarms.find((alarm) => ["on", "latched"].includes(alarm.presence)) ?? null;
}

/**
 * Seconds left of the audio pause; it holds for the room's alarms, not for the loss of the room.
 * @param {PageState} state
 * @param {number} nowMs
 */
export function pausedS(state, nowMs) {
  if (connection(state, nowMs) === "lost") return 0;
  const sinceS = state.snapshotMs === null ? 0 : (nowMs - state.snapshotMs) / 1000;
  return Math.max(0, (state.room?.audio_paused_s ?? 0) - sinceS);
}

export class Station {
  /**
   * @param {"perfusion"|"anesthesia"} kind
   * @param {() => void} redraw
   */
  constructor(kind, redraw) {
    this.kind = kind;
    this.sound = new Sound(redraw);
    this.primary = false;
    this.silencedUntilMs = 0;
    this.away = { text: "", untilMs: 0 };
    buttonById("audio-test").onclick = () => this.sound.test();
    buttonById("audio-yes").onclick = () => this.sound.answer(true);
    buttonById("audio-no").onclick = () => this.sound.answer(false);
    this.sound.begin();
    addEventListener("pagehide", () => this.sound.putOffFailure(Infinity));
  }

  /** Whether this display can sound, as the room is told each second. */
  audible() {
    return this.sound.state(performance.now()) === "ready";
  }

  /** The server was heard: the failure signal, which is waiting already, waits on. */
  heard() {
    if (performance.now() < this.silencedUntilMs) this.silencedUntilMs = 0;
    this.sound.putOffFailure(this.primary ? HEARTBEAT_LIMIT_MS / 1000 : Infinity);
  }

  /** A person has taken note of the lost connection. */
  silence() {
    this.silencedUntilMs = performance.now() + SILENCED_S * 1000;
    this.sound.putOffFailure(SILENCED_S);
  }

  /** @param {number} awayMs */
  wasAway(awayMs) {
    const at = new Date().toTimeString().slice(0, 8);
    const untilMs = performance.now() + AWAY_SHOWN_MS;
    this.away = { text: t.team.away(clock(awayMs / 1000), at), untilMs };
  }

  /**
   * @param {PageState} state
   * @param {Alarm[]} alarms that this page draws, highest first
   * @param {number} nowMs
   * @param {boolean} [calls] whether a request calls here
   */
  draw(state, alarms, nowMs, calls = false) {
    this.primary = isPrimary(state, this.kind);
    const sounding = this.primary ? soundingOf(state, alarms, nowMs) : null;
    this.sound.sound(
      sounding && {
        priority: sounding.priority,
        category: categoryOf(sounding.id),
        occurrence: sounding.occurrence,
      },
    );
    const lost = this.primary && connection(state, nowMs) === "lost";
    setAttribute(byId("audio"), "data-sounds", lost ? "lost" : (sounding?.id ?? ""));
    this.sound.call(calls && this.primary && !lost);
    this.#words(state, nowMs);
  }

  /** @param {PageState} state @param {number} nowMs */
  #words(state, nowMs) {
    const audio = this.sound.state(nowMs);
    const left = pausedS(state, nowMs);
    const words = left > 0 ? t.team.soundPaused(clock(left)) : t.team.sound[audio];
    const shown = this.primary || audio === "asking";
    byId("audio").hidden = !shown;
    setAttribute(byId("audio"), "data-state", left > 0 && audio === "ready" ? "paused" : audio);
    setText(byId("audio-words"), words);
    setText(byId("audio-test"), t.team.soundTest[audio]);
    byId("audio-test").hidden = audio === "asking" || audio === "ready";
    byId("audio-yes").hidden = byId("audio-no").hidden = audio !== "asking";
    const known = state.you !== null;
    const station = t.team.primary(state.you?.station ?? "");
    setText(byId("reliance"), !known ? "" : this.primary ? station : t.team.informationOnly);
    setAttribute(byId("reliance"), "data-primary", String(this.primary));
    setText(byId("away"), nowMs < this.away.untilMs ? this.away.text : "");
  }
}
