/**
 * The shapes that the page works with: what comes over the socket, and the page's own state.
 * Times in `*_s` are seconds, `*_ns` the room's monotonic clock, `*Ms` the browser's own clock
 * (performance.now); temperatures °C, flows ml/min, pressures mmHg, volumes ml.
 *
 * @typedef {"valid"|"questionable"|"invalid"|"overflow"|"underflow"|"not_available"} Validity
 * @typedef {"high"|"medium"|"low"} Priority
 * @typedef {"requested"|"refused"|"sent"|"confirmed"|"unknown"} CommandState
 *
 * @typedef {object} WireChannel
 * @property {number|null} value
 * @property {string} unit
 * @property {Validity} validity
 * @property {string} reason
 * @property {number|null} at_ns
 * @property {string} role
 * @property {string} site
 * @property {string} device
 * @property {number} input
 * @property {number} grey_s
 * @property {number} gone_s
 * @property {boolean} measured
 *
 * @typedef {WireChannel & {id: string, receivedMs: number|null}} Channel
 * A channel as the page holds it; `receivedMs` is when its newest value came, null for never.
 *
 * @typedef {object} Alarm
 * @property {string} id
 * @property {string} source
 * @property {string} occurrence
 * @property {Priority} priority
 * @property {"on"|"off"|"latched"|"acknowledged"} presence
 * @property {string} text
 * @property {string} do
 * @property {number|null} value
 * @property {number|null} limit
 * @property {string} [since_utc]
 * @property {number} seq
 * @property {string} [seen_by]
 * @property {boolean} [for_anesthesia]
 *
 * @typedef {object} Command
 * @property {string} key
 * @property {string} name
 * @property {CommandState} state
 * @property {number|null} [requested]
 * @property {number|null} [granted]
 * @property {string} [limited_by]
 * @property {string} [reason]
 * @property {string} [at_utc]
 *
 * @typedef {object} Clocks
 * @property {number} elapsed_s
 * @property {number} in_band_s
 * @property {number} out_of_band_s
 * @property {number} unobserved_s
 * @property {number|null} left_s
 * @property {number} duration_s
 * @property {number|null} contact_s
 * @property {number} phase_s
 * @property {number|null} next_fraction_s
 * @property {number} total_pumped_ml
 *
 * @typedef {{role: string, statistic: string, low_c: number, high_c: number}} Target
 * @typedef {{held_s: number, hold_s: number, threshold_c: number, value_c: number|null,
 *   open: boolean, text: string}} Gate
 * @typedef {{phase: string, title: string, state: "done"|"current"|"next"|"later",
 *   needs: string[]}} Step
 * @typedef {{name: string, args: Record<string, unknown>, label: string, enabled: boolean,
 *   needs: string[], names?: string[]}} NextAction
 * @typedef {{id: string, text: string, before: string, names: number, done: boolean,
 *   by: string, second: string, skipped?: string}} ChecklistItem
 * @typedef {{number: number, share: number, due_s: number|null, given_utc: string|null,
 *   mg: number|null}} Fraction
 * @typedef {{name: string, dose_mg_m2: number, bsa_m2: number|null, dose_mg: number|null,
 *   carrier: string, fractions: Fraction[]}} Drug
 * @typedef {{drug: string, dose_mg_m2: number, dose_mg: number|null, due_s: number|null,
 *   infusion_min: number}} Reminder
 * @typedef {{class: string, driver: string, link: string, reason: string, identity: string,
 *   running: boolean|null, setpoint: number|null, fault: string}} Device
 *
 * @typedef {{number: number, kind: string, text: string, at_utc: string, by: string,
 *   waits_s: number, accepted: boolean|null, answered_utc: string|null, answered_by: string,
 *   reason: string}} Request
 * What anesthesia asked of the pump; `accepted` is null while it is open.
 * @typedef {{limit_c: number, above_min: number, from_s: number|null, to_s: number|null}} CoreStep
 * @typedef {{channel: string|null, rate_c_per_10_min: number|null, steps: CoreStep[],
 *   by_hand_c: number|null, by_hand_site: string}} CoreCourse
 * @typedef {{on: boolean, at_utc: string, by: string}} Cooling
 * @typedef {{name: string, role: string, present: boolean, audible: boolean, armed: boolean,
 *   reason: string}} Display
 *
 * @typedef {{value_c: number, within_c: number}} Ahead
 * @typedef {object} Outlook
 * What is foreseen; `at_s` on the clock of `at_ns` times speed, all times treatment seconds.
 * @property {number} at_s
 * @property {number[]} horizons_s
 * @property {Record<string, Ahead[]>} ahead
 * @property {number|null} gate_in_s
 * @property {number|null} band_in_s
 * @property {number|null} core_high_in_s
 * @property {number} steady_mean_c
 * @property {number} steady_hottest_c
 * @property {number} steady_coldest_c
 *
 * @typedef {{id: string, text: string, state: "waiting"|"due"|"late"|"done",
 *   due_in_s: number|null, window_s: number}} Timer
 * @typedef {{channel: string, value_c: number, reference_c: number, within: boolean}} Compared
 * @typedef {{from_c: number, to_c: number, recovers_s: number}} Dip
 * @typedef {{label_mg: number, given_mg: number[], drained_mg_estimate: number,
 *   in_circuit_or_patient_mg_estimate: number}} DrugLedger
 * @typedef {object} Ledger
 * @property {Record<string, number>} in_ml
 * @property {Record<string, number>} out_ml
 * @property {number} pumped_ml
 * @property {number|null} reservoir_ml
 * @property {number} retained_ml
 * @property {number|null} missing_ml
 * @property {string[]} causes
 * @property {DrugLedger|null} drug
 * @typedef {{id: string, occurrence: string, priority: Priority, text: string,
 *   since_utc: string, until_utc: string}} PastAlarm
 *
 * @typedef {object} Heat
 * @property {boolean} on
 * @property {number|null} requested_c
 * @property {number|null} granted_c
 * @property {string} limited_by
 * @property {number|null} bath_set_c
 * @property {string} waits_for
 * @property {string} advice
 *
 * @typedef {object} Pump
 * @property {boolean} on
 * @property {number|null} flow_set_ml_min
 * @property {number|null} requested_ml_min
 * @property {string} limited_by
 *
 * @typedef {object} You
 * Who this page is: the `you` of the message `hello`, first on each connection and on any change.
 * @property {string} name       empty while nobody is signed in
 * @property {"perfusionist"|"anesthesia"|"surgeon"|"qa"|"admin"|"display"} role
 * @property {string} station    empty away from the room's enrolled stations: such a page cannot act
 * @property {string[]} may      the commands that would not be refused to this page now
 * @property {string|null} [screen]  what the station itself is enrolled for
 * @property {boolean} holder    this person has control
 * @property {boolean} idle      away too long: sign in again to act; stop, heat off, ack stay
 *
 * @typedef {object} Control
 * @property {string|null} holder   who has control, null for nobody
 * @property {string} station
 * @property {string|null} since_utc
 * @property {string} offered_to    to whom it is being handed over, empty for nobody
 *
 * @typedef {object} Room
 * What the newest snapshot said, less channels, alarms and commands.
 * @property {string|null} session
 * @property {string|null} protocol
 * @property {string|null} phase
 * @property {string} controller
 * @property {number} speed
 * @property {number} at_ns
 * @property {string} at_utc
 * @property {string} title
 * @property {"closed"|"open"|null} technique
 * @property {string} envelope
 * @property {""|"pause"|"heat_hold"|"abort"} side_state
 * @property {Clocks|null} clocks
 * @property {Target|null} target
 * @property {Gate|null} gate
 * @property {Record<string, number>} limits
 * @property {Record<string, Device>} devices
 * @property {Heat} heat
 * @property {Pump} pump
 * @property {Step[]} steps
 * @property {NextAction|null} next_action
 * @property {ChecklistItem[]} checklist
 * @property {Drug|null} drug
 * @property {Reminder[]} reminders
 * @property {Outlook|null} [outlook]
 * @property {Timer[]} [timers]
 * @property {Dip|null} [dip]
 * @property {Ledger|null} [ledger]
 * @property {PastAlarm[]} [past_alarms]
 * @property {Compared[]} [compared]
 * @property {{in_ml: number, out_ml: number, retained_ml: number}|null} volumes
 * @property {Control} control
 * @property {Request[]} [requests]
 * @property {Cooling|null} [cooling]
 * @property {CoreCourse|null} [core]
 * @property {Display[]} [displays]
 * @property {string | null} audible the occurrence that sounds now
 * @property {number} audio_paused_s
 * @property {{hazard: string, why: string}[]} not_guarded
 * @property {{at_utc: string, kind: string, text: string, by: string}[]} events
 *
 * @typedef {object} PageState
 * @property {string} id                     the room's name, empty before the first message
 * @property {string} mode                   real, test or demo; empty before the first message
 * @property {string} boot
 * @property {number} seq
 * @property {number} snapshotSeq            what the last snapshot had already told
 * @property {boolean} outdated              the service speaks a newer version than this page
 * @property {number|null} beatMs            when the last heartbeat (or first snapshot) was told
 * @property {number|null} snapshotMs        when the last snapshot was told: came, less its lag
 * @property {number|null} cameMs            when the last snapshot came
 * @property {number|null} soonestMs         page's clock less the room's, at the soonest so far
 * @property {number} lagMs                  how much later than that the last snapshot came
 * @property {You|null} you                  null before the first message
 * @property {Room|null} room
 * @property {Record<string, Channel>} channels
 * @property {Alarm[]} alarms                highest first
 * @property {Command[]} commands            newest first
 * @property {Record<string, Asked>} asked   the last command of each control of this page
 *
 * @typedef {{key: string, name: string, failure: string, field: string}} Asked
 * `failure` is a sentence when the request itself was not accepted, `field` the entry it is about.
 *
 * @typedef {{type: string, v?: number, seq?: number, room?: string, boot?: string,
 *   mode?: string} & Record<string, any>} Message
 *
 * @typedef {"fresh"|"grey"|"gone"} Age
 * @typedef {{value: number|null, age: Age, reason: string, short?: string}} Reading
 * `value` is null exactly when `age` is gone; `reason` then says why, `short` in a word or two.
 */
export {};
