/** Every word that the pages say, in one place for translation. */

/** @type {Record<string, string>} */
const roles = {
  inflow: "Inflow",
  outflow: "Outflow",
  reservoir: "Reser\u00ADvoir",
  exchanger: "Exchan\u00ADger",
  bath: "Bath",
  line_in: "Pressure line",
  line_out: "Pressure suction",
  iap: "Pressure abdomen",
  flow: "Flow",
  level: "Level",
  speed: "Pump speed",
  power: "Heating power",
  site: "Site",
  core: "Core",
};

/** Soft hyphens say where a narrow column may break the word. @type {Record<string, string>} */
const sites = {
  right_subphrenic: "Right sub\u00ADphrenic",
  left_subphrenic: "Left sub\u00ADphrenic",
  right_paracolic: "Right para\u00ADcolic",
  left_paracolic: "Left para\u00ADcolic",
  mid_abdomen: "Mid abdo\u00ADmen",
  pelvis: "Pelvis",
  nasopharynx: "Naso\u00ADpharynx",
  oesophagus: "Oeso\u00ADphagus",
  bladder: "Bladder",
  rectum: "Rectum",
};

/** For columns too narrow for the full name. @type {Record<string, string>} */
const shortNames = {
  right_subphrenic: "R sub\u00ADphr.",
  left_subphrenic: "L sub\u00ADphr.",
  right_paracolic: "R parac.",
  left_paracolic: "L parac.",
  mid_abdomen: "Mid",
  nasopharynx: "Naso\u00ADph.",
  oesophagus: "Oeso\u00ADph.",
  reservoir: "Reserv.",
  exchanger: "Exch.",
  outflow: "Out",
  inflow: "In",
  bladder: "Blad\u00ADder",
};

/** @type {Record<string, string>} */
const commands = {
  open_session: "Start treatment",
  close_session: "Close session",
  confirm_checklist: "Check confirmed",
  compare_probes: "Probes compared",
  start_phase: "Next phase",
  confirm_drug: "Drug given",
  set_controller: "Control mode",
  set_inflow: "Inflow set-point",
  set_flow: "Flow set-point",
  stop: "STOP",
  heater_off: "HEAT OFF",
  pause: "Pause",
  resume: "Resume",
  abort: "Abort",
  acknowledge: "Acknowledge",
  pause_audio: "Pause audio",
  note: "Note",
  volume: "Volume",
  enter_core: "Core by hand",
};

/** @type {Record<string, string>} */
const commandStates = {
  requested: "requested",
  sent: "sent",
  confirmed: "confirmed",
  refused: "refused",
  unknown: "not known: look at the device",
};

/** @type {Record<string, string>} */
const units = { degC: "°C", "ml/min": "L/min", mmHg: "mmHg", ml: "mL", rpm: "rpm", "%": "%" };

/** @type {Record<string, string>} */
const controllers = {
  manual: "MANUAL",
  advisory: "ADVISORY",
  automatic: "AUTOMATIC",
  fallback: "FALLBACK",
  stopped: "STOPPED",
};

/** @type {Record<string, string>} */
const sideStates = { pause: "paused", heat_hold: "heat on hold", abort: "aborted" };

/** What stands still on the page: `data-t`, `data-label` and `data-placeholder` name these. */
const labels = {
  roomAndPhase: "Room and phase",
  colourTheme: "Colour theme",
  liveValues: "Live values",
  timeShown: "Time shown",
  clocksAndEntries: "Clocks and entries",
  entries: "Entries",
  controlMode: "Control mode",
  whoMovesTheHeat: "Who moves the heat",
  inflowSetPoint: "Inflow set-point",
  inflowField: "Inflow set-point, °C",
  inflowLess: "Inflow 0.1 °C less",
  inflowMore: "Inflow 0.1 °C more",
  flowSetPoint: "Flow set-point",
  flowField: "Flow set-point, L/min",
  flowLess: "Flow 0.05 L/min less",
  flowMore: "Flow 0.05 L/min more",
  lastCommand: "Last command",
  asProtocol: "as protocol",
  protocol: "Protocol",
  heightCm: "Height, cm",
  weightKg: "Weight, kg",
  durationMin: "Duration, min",
  secondNameLabelRead: "Second name, label read",
  givenAt: "Given at hh:mm, empty is now",
  reasonIfEarlier: "Reason, if earlier or before the gate",
  goEarly: "Next phase early",
  sites: "Sites",
  inflow: "Inflow",
  core: "Core",
  flow: "Flow",
  degC: "°C",
  litresPerMin: "L/min",
  control: "Control",
  inflowSet: "Inflow set",
  flowSet: "Flow set",
  acknowledge: "Acknowledge",
  pauseAudio: "Pause audio",
  pause: "Pause",
  resume: "Resume",
  abort: "Abort",
  curve: "Curve",
  minutes10: "10 min",
  minutes30: "30 min",
  all: "All",
  setUpATreatment: "Set up a treatment",
  startTreatment: "Start treatment",
  inBand: "In band",
  out: "Out",
  unobserved: "Unobserved",
  phase: "Phase",
  contact: "Drug contact",
  fractionIn: "Fraction in",
  alarms: "Alarms",
  checks: "Checks",
  drug: "Drug",
  note: "Note",
  log: "Log",
  volumeMl: "Volume, mL",
  in: "In",
  coreByHandC: "Core by hand, °C",
  enter: "Enter",
  noteForTheRecord: "Note, or reason for leaving a phase early",
  record: "Record",
  manual: "Manual",
  advisory: "Advisory",
  automatic: "Automatic",
  less: "−",
  more: "+",
  set: "Set",
  requested: "requested",
  sent: "sent",
  confirmed: "confirmed",
  heatOff: "HEAT OFF",
  stop: "STOP",
};

export const t = {
  labels,
  commands,
  commandStates,
  units,
  controllers,
  sideStates,
  validity: {
    valid: "",
    questionable: "questionable",
    invalid: "invalid reading",
    overflow: "above the instrument's range",
    underflow: "below the instrument's range",
    not_available: "not available",
  },
  questionable: "questionable",
  notConfigured: "not configured in this room",
  notYetRead: "no reading yet",
  noValueFor: (/** @type {number} */ seconds) => `no value for ${seconds}\u00A0s`,
  deviceLost: (/** @type {string} */ device) => `${device}: connection lost`,

  pageTitle: (/** @type {string} */ room) => `${room} – HIPEC`,
  modeMark: { demo: "DEMO", test: "TEST", real: "REAL" },
  modeNote: {
    demo: "Simulated instruments. Not a certified medical device.",
    test: "Test mode. Not a certified medical device.",
    real: "Real instruments. Not a certified medical device.",
  },
  speedMark: (/** @type {number} */ speed) => `${speed}× — simulated time`,

  connecting: "Connecting …",
  connected: "Live",
  noConnectionMark: "NO CONNECTION",
  noConnectionShort: "no connection",
  noConnection: "NO CONNECTION – values are not live",
  noConnectionDo: "Watch the devices themselves. This page reconnects by itself.",
  outdated: "This page is older than the service. Reload it.",
  alarmNone: "No alarms",
  alarmMarks: { high: "!!!", medium: "!!", low: "!" },
  alarmPriority: {
    none: "",
    high: "High priority",
    medium: "Medium priority",
    low: "Low priority",
  },
  alarmOthers: (/** @type {number} */ count) => (count === 1 ? "1 other" : `${count} others`),
  alarmLimit: "limit",
  alarmLatched: "over, not yet acknowledged",
  alarmAcknowledged: "acknowledged",
  acknowledge: "Acknowledge",
  pauseAudio: "Pause audio",
  audioPaused: (/** @type {string} */ left) => `Audio paused ${left}`,

  sites_of: (/** @type {number} */ used, /** @type {number} */ all) => `${used} of ${all}`,
  setTo: (/** @type {string} */ value) => `set ${value}`,
  noSet: "not set",
  measured: "measured",
  calculated: "calculated, not measured",
  noCore: "no core probe",
  noFlow: "no flow source",
  flowCalculated: "Flow, calculated",
  litres: "L",
  volumes: "In / out / kept",

  left: "left",
  overtime: "over time",
  notStarted: "Clock starts at drug in",
  gateOpen: "Gate open",
  gateHeld: (/** @type {string} */ what, /** @type {string} */ held, /** @type {string} */ hold) =>
    `Gate: ${what}, held ${held} of ${hold}`,

  noSession: "No session",
  noProtocol: "No protocol chosen",
  widened: (/** @type {string} */ name) => `Widened envelope: ${name}`,
  closed: "closed technique",
  open: "open technique",
  needs: "Needs: ",
  noNextAction: "Nothing to press now",
  startBelow: "Fill in the set-up and start",
  guardedAll: "Everything is guarded",
  notGuarded: (/** @type {number} */ count) => `Not guarded today: ${count}`,

  notGuardedOne: "Not guarded:",
  limitedBy: (/** @type {string} */ what) => `Limited by ${what}`,
  nothingLimits: "Nothing limits the heat",
  heatOn: "Heat on",
  heatOff: "Heat off",
  waitsFor: (/** @type {string} */ what) => `Heat waits for: ${what}`,
  bathSet: (/** @type {string} */ value) => `bath set ${value} °C`,
  asked: (/** @type {string} */ value) => `asked ${value}`,
  granted: (/** @type {string} */ value) => `granted ${value}`,
  pumpOn: "Pump on",
  pumpOff: "Pump off",

  noCommand: "No command yet",
  sending: "Sending …",
  answers: {
    network: "Not sent: the service cannot be reached. Act on the device itself.",
    timeout: "No answer from the service. Look at the device before pressing again.",
    401: "Not signed in. Open the sign-in link again, then repeat.",
    403: "This page may not give this command.",
    404: "The service does not know this command.",
    409: "Refused in the present state.",
    422: "Check the entry.",
    429: "Too many commands. Wait a moment.",
    503: "The control process does not answer. Act on the device itself.",
    other: "The service reported a fault. Look at the device.",
  },
  numberMissing: "Enter a number.",
  secondMissing: "This check needs a second name.",
  textMissing: "Write the text first.",
  timeMissing: "Write the time as hh:mm, or leave it empty for now.",
  reasonMissing: "An earlier time needs a reason.",

  protocolsFailed: "The list of protocols could not be read. It is tried again.",
  protocolMissing: "Choose a protocol.",
  duration: (/** @type {number} */ minutes) => `${minutes} min`,
  drugDose: (/** @type {string} */ drug, /** @type {number} */ perM2) => `${drug} ${perM2} mg/m²`,

  tabChecks: (/** @type {number} */ open) => (open ? `Checks ${open}` : "Checks"),
  checksNone: "No checks are due.",
  checkBefore: (/** @type {string} */ phase) => `before ${phase}`,
  checkDone: (/** @type {string} */ who) => `✓ ${who}`,
  confirm: "Confirm",
  secondName: "Second name",
  referenceC: "Reference, °C",
  compare: "Compare probes",
  drugNone: "This protocol has no drug, or no session is open.",
  dose: (/** @type {string} */ mg, /** @type {string} */ perM2, /** @type {string} */ bsa) =>
    `${mg} mg by arithmetic (${perM2} mg/m² × ${bsa} m²); the label decides`,
  fraction: (
    /** @type {number} */ number,
    /** @type {string} */ percent,
    /** @type {string} */ mg,
  ) => `Fraction ${number} · ${percent} % · ${mg} mg`,
  given: (/** @type {string} */ at) => `✓ given ${at}`,
  dueAfter: (/** @type {string} */ time) => `${time} after drug in`,
  dueIn: (/** @type {string} */ time) => `due in ${time}`,
  dueNow: "due now",
  dueWithDrug: "timed from drug in",
  giveNow: "Given now",
  reminder: (
    /** @type {string} */ drug,
    /** @type {string} */ mg,
    /** @type {number} */ minutes,
    /** @type {string} */ due,
  ) => `IV ${drug} ${mg} mg over ${minutes} min, ${due}`,
  logEmpty: "Nothing recorded yet.",
  alarmsTab: (/** @type {number} */ count) => (count ? `Alarms ${count}` : "Alarms"),
  noLiveValues: "no live values",

  curveNow: "now",
  curveBeforeNow: "minutes before now",
  curveSinceDrug: "minutes since drug in",
  minutes: (/** @type {number} */ minutes) => `${String(minutes).replace("-", "−")} min`,
  theme: { dark: "Dark", light: "Light", auto: "As system" },
};

/**
 * What a channel is called: its site when it has one, otherwise its role.
 * @param {{role: string, site: string}} channel
 */
export function channelName(channel) {
  if (!channel.site) return roles[channel.role] ?? channel.role;
  const known = sites[channel.site];
  if (known) return known;
  const words = channel.site.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {{role: string, site: string}} channel */
export const shortName = (channel) =>
  shortNames[channel.site || channel.role] ?? channelName(channel);

/** Words of the sign-in page and of the page of accounts and stations. */
export const accountTexts = {
  signIn: "Sign in",
  signInOidc: "Sign in with the hospital's account",
  signOut: "Sign out",
  name: "Name",
  password: "Password",
  code: "One-time code",
  useCode: "Use the code",
  stationHint:
    "An enrolled station in the room can always stop, switch the heat off and acknowledge, " +
    "with nobody signed in.",
  nameMissing: "Write your name as your administrator entered it.",
  passwordMissing: "Write your password.",
  codeVoid: "This link or code has been used, or has run out. Ask for a new one.",
  failed: "The service could not do this. Try again.",
  unreachable: "The service does not answer. Nothing was changed; try again.",
  adminTitle: "Accounts and stations",
  people: "Accounts",
  stations: "Enrolled stations",
  station: "Station",
  role: "Role",
  state: "State",
  actions: "Actions",
  fingerprint: "Fingerprint",
  enrolled: "Enrolled",
  firstPassword: "First password (may be left out)",
  addPerson: "Add account",
  enrol: "Make an enrolment link",
  revoke: "Revoke",
  disable: "Close",
  enable: "Open again",
  disabled: "closed",
  open: "open",
  noPassword: "no password",
  oneTimeLink: "One-time link",
  openOnce: "Open once, within a day:",
  /** @type {Record<string, string>} */
  roles: {
    perfusionist: "Perfusionist",
    anesthesia: "Anesthesia",
    surgeon: "Surgeon (views)",
    qa: "Quality assurance",
    admin: "Administrator",
    display: "Wall display",
  },
};
