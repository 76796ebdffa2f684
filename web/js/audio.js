/**
 * The sound of this page, kept by the audio clock: a burst loops as a buffer, so that no timer of a
 * throttled or stuck page is needed, and the failure signal is already waiting to begin; each
 * heartbeat puts it off.
 *
 * @typedef {import("./sound.js").Burst} Burst
 * @typedef {import("./sound.js").Priority} Priority
 * @typedef {import("./sound.js").Category} Category
 * @typedef {"off"|"asking"|"ready"|"lost"} AudioState
 * off: nobody has touched it; asking: the test tone sounds, was it heard?; ready: it was heard;
 * lost: it was ready and the browser has taken it away.
 */
import { burstOf, requestBetween, requestBurst, waveOf } from "./sound.js";

const HEARD_KEY = "hipec-tone-heard";
const PURE = [1];
/** A context whose clock stands still for so long is not running, whatever it says. */
const STANDS_MS = 1500;

/** @type {WeakMap<BaseAudioContext, Map<string, AudioBuffer>>} */
const made = new WeakMap();

/**
 * One period of a burst, made once.
 * @param {BaseAudioContext} context
 * @param {Burst} burst
 * @param {number[]} [harmonics]
 */
function bufferOf(context, burst, harmonics) {
  const known = made.get(context) ?? new Map();
  made.set(context, known);
  const key = JSON.stringify([burst, harmonics]);
  if (!known.has(key)) {
    const wave = waveOf(burst, context.sampleRate, harmonics);
    const buffer = context.createBuffer(1, wave.length, context.sampleRate);
    buffer.copyToChannel(wave, 0);
    known.set(key, buffer);
  }
  return /** @type {AudioBuffer} */ (known.get(key));
}

/**
 * A burst that goes on for ever once it is started.
 * @param {BaseAudioContext} context
 * @param {Burst} burst
 * @param {number[]} [harmonics]
 * @returns {AudioBufferSourceNode}
 */
export function loopOf(context, burst, harmonics) {
  const buffer = bufferOf(context, burst, harmonics);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.loop = true;
  source.connect(context.destination);
  return source;
}

export class Sound {
  /** @param {() => void} onChange called when the state of the audio may have changed */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {AudioContext|null} */
    this.context = null;
    /** @type {{key: string, source: AudioBufferSourceNode, burst: Burst, startS: number}|null} */
    this.alarm = null;
    /** @type {{key: string, source: AudioBufferSourceNode}|null} */
    this.request = null;
    /** @type {AudioBufferSourceNode|null} */
    this.tone = null;
    /** @type {AudioBufferSourceNode|null} */
    this.failure = null;
    this.heard = false;
    this.clock = { atS: -1, sinceMs: 0 };
  }

  /**
   * @param {number} nowMs
   * @returns {AudioState}
   */
  state(nowMs) {
    if (this.tone) return "asking";
    if (!this.context || !this.heard) return "off";
    return this.#runs(nowMs) ? "ready" : "lost";
  }

  /** A kiosk whose browser lets pages sound starts by itself once somebody has heard it. */
  begin() {
    if (sessionStorage.getItem(HEARD_KEY) !== "yes") return;
    this.#open();
    this.heard = true;
    const wake = () => void this.context?.resume();
    for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, wake);
  }

  /** Sounds the test tone until somebody says that it was heard; a gesture of a person. */
  test() {
    const context = this.#open();
    void context.resume();
    this.tone?.stop();
    this.tone = loopOf(context, burstOf("medium", "general"));
    this.tone.start();
    this.onChange();
  }

  /** @param {boolean} heard */
  answer(heard) {
    this.tone?.stop();
    this.tone = null;
    this.heard = heard;
    sessionStorage.setItem(HEARD_KEY, heard ? "yes" : "no");
    this.onChange();
  }

  /**
   * Sounds this alarm from now on, or nothing.
   * @param {{priority: Priority, category: Category, occurrence: string}|null} wanted
   */
  sound(wanted) {
    const key = wanted ? `${wanted.occurrence} ${wanted.priority} ${wanted.category}` : "";
    if (key === (this.alarm?.key ?? "")) return;
    this.alarm?.source.stop();
    this.alarm = null;
    if (!wanted || !this.context || !this.heard) return;
    const burst = burstOf(wanted.priority, wanted.category);
    const source = loopOf(this.context, burst);
    const startS = this.context.currentTime;
    source.start(startS);
    this.alarm = { key, source, burst, startS };
  }

  /**
   * Calls for a request, in the pauses of the alarm that sounds; or stops calling.
   * @param {boolean} wanted
   */
  call(wanted) {
    const { alarm, context } = this;
    const key = wanted ? (alarm?.key ?? "alone") : "";
    if (key === (this.request?.key ?? "")) return;
    this.request?.source.stop();
    this.request = null;
    if (!wanted || !context || !this.heard) return;
    const burst = alarm ? requestBetween(alarm.burst) : requestBurst();
    const sinceS = alarm ? context.currentTime - alarm.startS : 0;
    const source = loopOf(context, burst, PURE);
    source.start(context.currentTime, sinceS % burst.periodS);
    this.request = { key, source };
  }

  /**
   * The server lives: the failure signal is put off by so long.
   * @param {number} afterS
   */
  putOffFailure(afterS) {
    this.failure?.stop();
    this.failure = null;
    if (!this.context || !this.heard || !Number.isFinite(afterS)) return;
    this.failure = loopOf(this.context, burstOf("high", "general"));
    this.failure.start(this.context.currentTime + afterS);
  }

  #open() {
    if (this.context) return this.context;
    this.context = new AudioContext();
    this.context.onstatechange = () => this.onChange();
    return this.context;
  }

  /** @param {number} nowMs */
  #runs(nowMs) {
    const context = this.context;
    if (!context || context.state !== "running") return false;
    if (context.currentTime !== this.clock.atS) {
      this.clock = { atS: context.currentTime, sinceMs: nowMs };
    }
    return nowMs - this.clock.sinceMs < STANDS_MS;
  }
}
