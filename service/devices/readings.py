"""What an instrument told, as text for a person and as JSON for a program."""

import math
from collections.abc import Mapping

from drivers.classes import Driver, Identity, Input, Measured, Polled
from service.core.model import DeviceClass, DriveStatus, Unit, Validity

DRIVEN_IN: Mapping[DeviceClass, Unit] = {
    DeviceClass.HEATER: Unit.DEG_C,
    DeviceClass.PUMP: Unit.ML_MIN,
}


def value_text(measured: Measured, wanted: Input) -> str:
    """The value to the input's resolution, a dash where there is none."""
    if measured.value is None:
        return "-"
    digits = max(0, -math.floor(math.log10(wanted.resolution) + 1e-9))
    return f"{measured.value:.{digits}f}"


def rows(driver: Driver, polled: Polled) -> list[str]:
    """One line per input: number, name, value, unit, validity and why."""
    return [
        f"{one.number:>3}  {one.name:<16} {value_text(measured, one):>10} {one.unit:<7} "
        f"{_believed(measured)}"
        for one, measured in _pairs(driver, polled)
    ]


def one_line(driver: Driver, polled: Polled) -> str:
    """All readings of a poll in one line, doubtful ones with their reason."""
    parts = []
    for one, measured in _pairs(driver, polled):
        doubt = "" if measured.validity is Validity.VALID else f" ({_believed(measured)})"
        parts.append(f"{one.name} {value_text(measured, one)} {one.unit}{doubt}")
    return ", ".join(parts + ([status_text(driver, polled.status)] if polled.status else []))


def status_text(driver: Driver, status: DriveStatus) -> str:
    """What a pump or heater says of itself."""
    runs = {True: "runs", False: "stands", None: "does not say whether it runs"}[status.running]
    remote = {True: "remote", False: "not in remote mode", None: ""}[status.remote]
    unit = DRIVEN_IN.get(driver.device_class, "")
    setpoint = "" if status.setpoint is None else f"set to {status.setpoint:g} {unit}".rstrip()
    return ", ".join(filter(None, (runs, setpoint, remote, status.fault)))


def identity_json(identity: Identity) -> dict[str, object]:
    """Who answered, as JSON values; null where the device does not say."""
    return {
        "model": identity.model,
        "serial": identity.serial or None,
        "firmware": identity.firmware or None,
    }


def polled_json(driver: Driver, polled: Polled) -> dict[str, object]:
    """A poll as JSON values; value and status are null where there is none."""
    status = polled.status
    return {
        "at_ns": polled.at.mono_ns,
        "readings": [
            {
                "input": one.number,
                "name": one.name,
                "value": measured.value,
                "unit": one.unit,
                "validity": measured.validity,
                "reason": measured.reason,
            }
            for one, measured in _pairs(driver, polled)
        ],
        "status": status
        and {
            "running": status.running,
            "setpoint": status.setpoint,
            "remote": status.remote,
            "fault": status.fault,
        },
    }


def _pairs(driver: Driver, polled: Polled) -> list[tuple[Input, Measured]]:
    known = {one.number: one for one in driver.inputs}
    return [(known[measured.input], measured) for measured in polled.measured]


def _believed(measured: Measured) -> str:
    said = str(measured.validity).replace("_", " ")
    return f"{said}: {measured.reason}" if measured.reason else said
