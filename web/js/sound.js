/**
 * The alarm sounds as numbers: bursts of pulses, and the wave that they make. Pure: no audio device.
 *
 * Designed with IEC 60601-1-8 in mind: pulse lengths, spacings, rise times and harmonics are inside
 * its ranges (general practice; to be checked against a bought copy), the melodies are those of its
 * former annex F, which anybody may synthesise.
 *
 * @typedef {"high"|"medium"|"low"} Priority
 * @typedef {"general"|"temperature"|"perfusion"} Category
 * @typedef {{atS: number, lengthS: number, hz: number}} Pulse
 * @typedef {{pulses: Pulse[], periodS: number}} Burst
 * One burst, and after how long it begins again.
 */

const C4 = 261.63;
const D4 = 293.66;
const E4 = 329.63;
const F4 = 349.23;
const F4_SHARP = 369.99;
const G4 = 392.0;

/** @type {Record<Category, number[]>} */
const MELODIES = {
  general: [C4, C4, C4, C4, C4],
  temperature: [C4, D4, E4, F4, G4],
  perfusion: [C4, F4_SHARP, C4, C4, F4_SHARP],
};

/**
 * Pulse length t_d, spacing within a group, and the silence between two bursts, in seconds.
 * A medium pulse with its spacing is never shorter than a high one with its own.
 */
export const TIMES = {
  high: { pulseS: 0.15, spacingS: 0.1, betweenBurstsS: 5 },
  medium: { pulseS: 0.2, spacingS: 0.2, betweenBurstsS: 7.5 },
  low: { pulseS: 0.2, spacingS: 0.2, betweenBurstsS: 20 },
};

/** Between the fifth and the sixth pulse of a high burst. */
const HALVES_S = 0.7;
const RISE_SHARE = 0.15;

/** Share of each harmonic, the fundamental first: five within 15 dB of each other. */
export const HARMONICS = [1, 0.8, 0.65, 0.5, 0.4];
const LOUDNESS = 0.28;

/**
 * @param {Priority} priority
 * @param {Category} category
 * @returns {Burst}
 */
export function burstOf(priority, category) {
  const notes = MELODIES[category];
  if (priority === "high") return highBurst(notes);
  const { pulseS, spacingS, betweenBurstsS } = TIMES[priority];
  const played = notes.slice(0, priority === "medium" ? 3 : 2);
  const pulses = played.map((hz, at) => ({ atS: at * (pulseS + spacingS), lengthS: pulseS, hz }));
  const endS = played.length * (pulseS + spacingS) - spacingS;
  return { pulses, periodS: endS + betweenBurstsS };
}

/** Three and two pulses, a pause, three and two again. @param {number[]} notes @returns {Burst} */
function highBurst(notes) {
  const { pulseS, spacingS, betweenBurstsS } = TIMES.high;
  /** @type {Pulse[]} */
  const pulses = [];
  let atS = 0;
  for (const half of [0, 1]) {
    notes.forEach((hz, number) => {
      pulses.push({ atS, lengthS: pulseS, hz });
      const afterThird = number === 2;
      const last = number === notes.length - 1;
      const gapS = last ? HALVES_S : afterThird ? 2 * spacingS + pulseS : spacingS;
      atS += pulseS + (last && half === 1 ? 0 : gapS);
    });
  }
  return { pulses, periodS: atS + betweenBurstsS };
}

/**
 * A request of a colleague: two soft pure tones, so that nobody takes it for an alarm.
 * @returns {Burst}
 */
export const requestBurst = () => ({
  pulses: [
    { atS: 0, lengthS: 0.35, hz: 660 },
    { atS: 0.4, lengthS: 0.5, hz: 528 },
  ],
  periodS: 5,
});

/** A request keeps so far away from the bursts of an alarm, before and after. */
const CLEAR_S = 1.2;

/**
 * A request while an alarm sounds: the alarm goes first, the request calls in its pauses.
 * @param {Burst} burst of the alarm
 * @returns {Burst} the request's tones, on the period of the alarm
 */
export function requestBetween(burst) {
  const { pulses, periodS } = requestBurst();
  const fromS = endOf(burst.pulses) + CLEAR_S;
  const untilS = burst.periodS - CLEAR_S - endOf(pulses);
  const found = [];
  for (let startS = fromS; startS <= untilS; startS += periodS) {
    found.push(...pulses.map((pulse) => ({ ...pulse, atS: startS + pulse.atS })));
  }
  return { pulses: found, periodS: burst.periodS };
}

/** @param {Pulse[]} pulses */
const endOf = (pulses) => Math.max(...pulses.map(({ atS, lengthS }) => atS + lengthS));

/**
 * One period of a burst as samples; played in a loop, only the audio clock keeps its time.
 * @param {Burst} burst
 * @param {number} rateHz
 * @param {number[]} [harmonics]
 */
export function waveOf(burst, rateHz, harmonics = HARMONICS) {
  const wave = new Float32Array(Math.round(burst.periodS * rateHz));
  const whole = harmonics.reduce((sum, share) => sum + share, 0);
  for (const pulse of burst.pulses) writePulse(wave, pulse, rateHz, harmonics, LOUDNESS / whole);
  return wave;
}

/**
 * @param {Float32Array} wave
 * @param {Pulse} pulse
 * @param {number} rateHz
 * @param {number[]} harmonics
 * @param {number} loudness
 */
function writePulse(wave, { atS, lengthS, hz }, rateHz, harmonics, loudness) {
  const first = Math.round(atS * rateHz);
  const count = Math.round(lengthS * rateHz);
  const rise = count * RISE_SHARE;
  for (let at = 0; at < count; at += 1) {
    const edge = Math.min(1, at / rise, (count - at) / rise);
    const turn = (2 * Math.PI * hz * at) / rateHz;
    let sum = 0;
    harmonics.forEach((share, number) => (sum += share * Math.sin(turn * (number + 1))));
    wave[first + at] = edge * loudness * 2 * sum;
  }
}

/** What an alarm is about, by the beginning of its name; anything else is general. */
const TEMPERATURE = ["core_", "inflow_", "site_", "sites_", "bath_", "reservoir_high", "heat"];
const PERFUSION = [
  ...["no_flow", "flow_", "line_pressure", "iap_", "suction_", "pump_", "bubble", "reservoir_"],
  ...["volume_shift", "leak"],
];

/** @param {string} alarmId @returns {Category} */
export function categoryOf(alarmId) {
  if (TEMPERATURE.some((start) => alarmId.startsWith(start))) return "temperature";
  return PERFUSION.some((start) => alarmId.startsWith(start)) ? "perfusion" : "general";
}
