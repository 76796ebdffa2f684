/**
 * Tells the room which alarms stand on this screen, and how long each took from its arrival to its
 * paint. A page that nobody can see paints nothing, and so confirms nothing.
 *
 * @typedef {import("./types.js").Alarm} Alarm
 */

export class Confirmer {
  /** @param {(shown: import("./link.js").Shown) => void} tell */
  constructor(tell) {
    this.tell = tell;
    /** @type {Map<number, number>} when each alarm's message arrived, by its number */
    this.arrivedMs = new Map();
    /** @type {Set<number>} */
    this.confirmed = new Set();
  }

  /** The room started anew, and its numbers with it. */
  forget() {
    this.arrivedMs.clear();
    this.confirmed.clear();
  }

  /**
   * @param {Alarm[]} alarms that this page draws
   * @param {number} nowMs
   */
  drawn(alarms, nowMs) {
    const unseen = alarms.filter((alarm) => alarm.seq && !this.confirmed.has(alarm.seq));
    if (!unseen.length) return;
    for (const { seq } of unseen) {
      if (!this.arrivedMs.has(seq)) this.arrivedMs.set(seq, nowMs);
    }
    requestAnimationFrame(() => setTimeout(() => this.#painted(unseen), 0));
  }

  /** @param {Alarm[]} alarms */
  #painted(alarms) {
    const nowMs = performance.now();
    for (const { seq, id, occurrence } of alarms) {
      if (this.confirmed.has(seq)) continue;
      this.confirmed.add(seq);
      const latency_ms = Math.round((nowMs - (this.arrivedMs.get(seq) ?? nowMs)) * 10) / 10;
      this.tell({ seq, id, occurrence, latency_ms });
    }
  }
}
