/** A small room as the service would describe it, for the tests of the page. */

export const BOOT = "boot-1";

/** @param {object} body */
export const message = (body) => ({ v: 1, room: "or-3", boot: BOOT, mode: "demo", ...body });

export const channel = (role, site, overrides = {}) => ({
  value: 42.7,
  unit: "degC",
  validity: "valid",
  reason: "",
  at_ns: 1_000_000_000,
  role,
  site,
  device: "sites",
  interval_s: 0.2,
  grey_s: 1.5,
  gone_s: 3,
  measured: true,
  ...overrides,
});

export const alarm = (occurrence, priority, presence = "on") => ({
  id: `alarm-${occurrence}`,
  source: "inflow",
  occurrence,
  priority,
  presence,
  text: "Inflow above its ceiling",
  do: "Heat is off. Keep the pump running.",
  value: 46.2,
  limit: 46,
  seq: 7,
});

/** A snapshot with two sites, inflow and two core probes. */
export const snapshot = (overrides = {}, seq = 10) =>
  message({
    type: "snapshot",
    seq,
    state: {
      session: "s1",
      protocol: "closed-mmc-90",
      phase: "perfuse",
      controller: "advisory",
      speed: 1,
      at_ns: 1_000_000_000,
      at_utc: "2026-01-01T10:00:00.000Z",
      channels: {
        pelvis: channel("site", "pelvis", { value: 42.4 }),
        mid_abdomen: channel("site", "mid_abdomen", { value: 43.0 }),
        inflow: channel("inflow", "", { device: "circuit", value: 44.6 }),
        bladder: channel("core", "bladder", { device: "circuit", value: 38.3 }),
        nasopharynx: channel("core", "nasopharynx", { device: "circuit", value: 37.6 }),
      },
      devices: { circuit: { link: "live", reason: "" }, sites: { link: "live", reason: "" } },
      alarms: [],
      commands: [],
      ...overrides,
    },
  });

export const frame = (channels, at_ns, device = "sites") =>
  message({ type: "frame", seq: 10, device, at_ns, channels });
