/**
 * After the treatment: what it came to, and the signature that closes its record.
 *
 * @typedef {import("./types.js").PageState} PageState
 * @typedef {import("./commands.js").Send} Send
 */
import { roomIsLive } from "./ages.js";
import { buttonById, byId, inputById, make, rebuildOnChange } from "./dom.js";
import { clock, fixed, litres, timeOfDay } from "./format.js";
import { t } from "./texts.js";

/**
 * Label and figure of each line.
 * @param {PageState} state
 * @returns {[string, string][]}
 */
export function summaryLines(state) {
  const { room } = state;
  if (!room?.clocks) return [];
  const { clocks, volumes, drug } = room;
  const share = clocks.elapsed_s > 0 ? ` (${fixed((100 * clocks.in_band_s) / clocks.elapsed_s, 0)} %)` : "";
  const past = room.past_alarms ?? [];
  const count = (/** @type {string} */ priority) =>
    [...past, ...state.alarms].filter((one) => one.priority === priority).length;
  const open = room.checklist.filter((item) => !item.done).length;
  return [
    [t.labels.protocol, room.title],
    [t.treated, `${clock(clocks.elapsed_s)} / ${clock(clocks.duration_s)}`],
    [t.labels.inBand, clock(clocks.in_band_s) + share],
    [t.labels.out, clock(clocks.out_of_band_s)],
    [t.labels.unobserved, clock(clocks.unobserved_s)],
    [t.labels.contact, clock(clocks.contact_s)],
    ...(drug?.fractions ?? []).map(
      (one) =>
        /** @type {[string, string]} */ ([
          t.fraction(one.number, fixed(one.share * 100, 0), fixed(one.mg, 1)),
          one.given_utc ? timeOfDay(one.given_utc) : t.notGiven,
        ]),
    ),
    [
      t.inOutKept,
      volumes ? [volumes.in_ml, volumes.out_ml, volumes.retained_ml].map(litres).join(" / ") : "",
    ],
    [t.alarmsHad, t.byPriority(count("high"), count("medium"), count("low"))],
    [t.checksOpen, String(open)],
    [t.notGuardedToday, String(room.not_guarded.length)],
  ];
}

/** @param {PageState} state @param {number} nowMs */
export function drawSummary(state, nowMs) {
  const over = state.room?.phase === "complete";
  byId("summary").hidden = !over;
  if (!over) return;
  const lines = summaryLines(state);
  rebuildOnChange(byId("summary-lines"), lines.flat().join(), () =>
    lines.map(([label, figure]) =>
      make("div", {}, make("dt", { text: label }), make("dd", { text: figure })),
    ),
  );
  buttonById("sign-close").disabled = !roomIsLive(state, nowMs);
}

/** @param {Send} send */
export function wireSummary(send) {
  buttonById("sign-close").onclick = async () => {
    const [second, remark] = [inputById("sign-second"), inputById("sign-remark")];
    const options = { control: "sign", second: second.value.trim(), reason: remark.value.trim() };
    const closed = await send("close_session", {}, options);
    if (closed) second.value = remark.value = "";
  };
}
