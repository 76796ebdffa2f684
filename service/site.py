"""What this room has: reads `site.toml` and refuses what cannot be, with what to do about it.

A port that is not there is no error: the service starts, shows the device lost and keeps trying.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from drivers.classes import Driver, SettingError
from drivers.link import is_contactor, is_drive
from drivers.registry import most_hz
from protocols.locate import Problem, read_document
from protocols.reader import range_of
from protocols.schema import Limits, Protocol
from service.core.model import Role, Unit
from service.site_shape import (
    PARTS,
    AccountsPart,
    ChannelPart,
    DevicePart,
    ProtocolsPart,
    RecordPart,
    Site,
    SiteError,
)

__all__ = ["Site", "SiteError", "load_site", "narrowed"]

ROLE_UNITS: Mapping[Role, Unit] = {
    **dict.fromkeys(
        (
            Role.INFLOW,
            Role.OUTFLOW,
            Role.RESERVOIR,
            Role.EXCHANGER,
            Role.BATH,
            Role.SITE,
            Role.CORE,
        ),
        Unit.DEG_C,
    ),
    **dict.fromkeys((Role.LINE_IN, Role.LINE_OUT, Role.IAP), Unit.MMHG),
    Role.FLOW: Unit.ML_MIN,
    Role.LEVEL: Unit.ML,
    Role.SPEED: Unit.RPM,
    Role.POWER: Unit.PERCENT,
    **dict.fromkeys(
        (Role.BUBBLE, Role.LEVEL_LOW, Role.CUT_OUT, Role.EMERGENCY_STOP),
        Unit.ON_OFF,
    ),
}
PLACED = (Role.SITE, Role.CORE)

NARROWER_WHEN_HIGHER = frozenset(
    {
        "inflow_margin_c",
        "line_out_min_mmhg",
        "no_flow_ml_min",
        "flow_low_share",
        "site_lost_keep",
        "reservoir_low_ml",
        "core_cool_c",
    }
)
"""Limits that a higher value narrows; every other one is narrowed by a lower value."""


def load_site(path: Path) -> Site:
    """Read and check a site file; raises `SiteError` with every problem of the file."""
    document = read_document(path, SiteError)
    try:
        site = Site.model_validate(document.table)
    except ValidationError as error:
        problems = [_shape_problem(detail) for detail in error.errors()]
        raise SiteError(document.report(problems)) from None
    if found := list(_problems(site)):
        raise SiteError(document.report(found))
    folder, record = path.parent, site.record
    about = site.about
    parts = {
        "about": about.model_copy(
            update={
                "tls_certificate": about.tls_certificate and folder / about.tls_certificate,
                "tls_key": about.tls_key and folder / about.tls_key,
            }
        ),
        "accounts": _placed(site.accounts, folder),
        "protocols": ProtocolsPart(directory=folder / site.protocols.directory),
        "record": RecordPart(
            key=record.key and folder / record.key,
            checkpoints=record.checkpoints and folder / record.checkpoints,
        ),
    }
    return site.model_copy(update=parts)


def _placed(accounts: AccountsPart, folder: Path) -> AccountsPart:
    """With the provider's secret looked for beside the site file."""
    oidc = accounts.oidc
    if oidc is None or oidc.secret_file is None:
        return accounts
    placed = oidc.model_copy(update={"secret_file": folder / oidc.secret_file})
    return accounts.model_copy(update={"oidc": placed})


def narrowed(protocol: Protocol, limits: Mapping[str, float]) -> Limits:
    """The protocol's limits as narrowed by a site; raises `SiteError` for any that would widen.

    A lower inflow ceiling takes the bath's maximum down with it, which must stay safe for ever.
    """
    trouble = []
    for name, wanted in limits.items():
        now = getattr(protocol.limits, name)
        widens = wanted < now if name in NARROWER_WHEN_HIGHER else wanted > now
        if widens:
            allowed = "at least" if name in NARROWER_WHEN_HIGHER else "at most"
            trouble.append(
                f"limits.{name}: {wanted:g} would widen protocol {protocol.id}, a site may only "
                f"narrow; allowed is {allowed} {now:g}"
            )
    if trouble:
        raise SiteError(trouble)
    kinds = {name: type(getattr(protocol.limits, name)) for name in limits}
    found = replace(protocol.limits, **{name: kinds[name](limits[name]) for name in limits})
    lowered_c = protocol.limits.inflow_ceiling_c - found.inflow_ceiling_c
    return replace(found, bath_max_c=min(found.bath_max_c, protocol.limits.bath_max_c - lowered_c))


def _problems(site: Site) -> Iterator[Problem]:
    drivers: dict[str, Driver] = {}
    for index, device in enumerate(site.device):
        try:
            drivers[device.name] = device.make_driver()
        except SettingError as error:
            yield Problem(field=("device", str(index)), text=str(error))
    yield from _device_problems(site, drivers)
    for index, channel in enumerate(site.channel):
        yield from _channel_problems(site, channel, ("channel", str(index)), drivers)
    yield from _twice("channel", "id", [channel.id for channel in site.channel])
    yield from _twice(
        "channel", "input", [f"{each.device} input {each.input}" for each in site.channel]
    )
    yield from _limit_problems(site)
    if (site.about.tls_certificate is None) != (site.about.tls_key is None):
        field = "tls_key" if site.about.tls_key is None else "tls_certificate"
        yield Problem(field=("room", field), text="is missing; TLS needs both of them")
    for name, part in site.envelope.items():
        for what in ("target_c", "duration_min"):
            low, high = getattr(part, what)
            if low >= high:
                text = f"{low:g} must be below {high:g}: write [lowest, highest]"
                yield Problem(field=("envelope", name, what), text=text)


def _limit_problems(site: Site) -> Iterator[Problem]:
    known = [field.name for field in fields(Limits)]
    for name, value in site.limits.items():
        allowed = range_of((name,))
        if name not in known:
            text = f"is no limit of a protocol; allowed are {', '.join(known)}"
            yield Problem(field=("limits", name), text=text)
        elif allowed and not allowed.low <= value <= allowed.high:
            text = f"{value:g} cannot be used; allowed is {allowed}"
            yield Problem(field=("limits", name), text=text)


def _device_problems(site: Site, drivers: Mapping[str, Driver]) -> Iterator[Problem]:
    yield from _twice("device", "name", [device.name for device in site.device])
    yield from _twice("device", "port", [_place(device) for device in site.device])
    seen: set[str] = set()
    for index, device in enumerate(site.device):
        only = _only_one(drivers[device.name]) if device.name in drivers else ""
        if only and only in seen:
            text = f"is a second {only} of this room; a room has one, remove the other"
            yield Problem(field=("device", str(index), "driver"), text=text)
        seen.add(only)
        most = most_hz(drivers[device.name]) if device.name in drivers else None
        if most is not None and device.poll_hz > most:
            slow_enough = math.floor(1000 * most) / 1000
            text = f"{device.poll_hz:g} is more than it gives; write poll_hz = {slow_enough:g}"
            yield Problem(field=("device", str(index), "poll_hz"), text=text)


def _only_one(driver: Driver) -> str:
    """What a room has one of, where this driver is that."""
    if is_drive(driver):
        return driver.device_class
    return "module with relays (outputs)" if is_contactor(driver) else ""


def _place(device: DevicePart) -> str:
    """Where a device is: its port, and its address where several share a line."""
    given = device.model_extra or {}
    address = given.get("address", given.get("addresses", ""))
    return f"{device.port} address {address}" if address else device.port


def _channel_problems(
    site: Site, channel: ChannelPart, field: tuple[str, ...], drivers: Mapping[str, Driver]
) -> Iterator[Problem]:
    names = [device.name for device in site.device]
    if channel.device not in names:
        text = f'"{channel.device}" is no [[device]] of this room; known are {", ".join(names)}'
        yield Problem(field=(*field, "device"), text=text)
    elif channel.device in drivers:
        inputs = {each.number: each for each in drivers[channel.device].inputs}
        if channel.input not in inputs:
            listed = ", ".join(f"{number} ({each.name})" for number, each in inputs.items())
            text = f"{channel.input} is no input of {channel.device}; allowed are {listed}"
            yield Problem(field=(*field, "input"), text=text)
        elif (delivers := inputs[channel.input].unit) is not channel.unit:
            text = f'"{channel.unit}" is not what this input delivers; write "{delivers}"'
            yield Problem(field=(*field, "unit"), text=text)
    if (needs := ROLE_UNITS[channel.role]) is not channel.unit:
        text = f'"{channel.role}" is measured in {needs}, not in {channel.unit}'
        yield Problem(field=(*field, "role"), text=text)
    if channel.role in PLACED and not channel.site:
        text = f'is missing; role "{channel.role}" needs the place, as "pelvis" or "nasopharynx"'
        yield Problem(field=(*field, "site"), text=text)
    if channel.role not in PLACED and channel.site:
        text = f'is only for the roles site and core, not for "{channel.role}"; remove it'
        yield Problem(field=(*field, "site"), text=text)


def _twice(table: str, key: str, values: list[str]) -> Iterator[Problem]:
    counted = Counter(values)
    for index, value in enumerate(values):
        if counted[value] > 1 and value in values[:index]:
            text = f'"{value}" is used more than once; each {table} needs its own'
            yield Problem(field=(table, str(index), key), text=text)


NEEDED: Mapping[str, str] = {
    "missing": "is missing; `hipec site example` shows it",
    "tuple_type": "needed is a list",
    "model_type": "needed is a table",
    "dict_type": "needed is a table",
}


def _shape_problem(detail: ErrorDetails) -> Problem:
    field = tuple(str(part) for part in detail["loc"])
    part = PARTS.get(field[0])
    if detail["type"] == "extra_forbidden":
        allowed = part.model_fields if part and len(field) > 1 else (*PARTS, "limits")
        return Problem(field=field, text=f"is not known here; allowed are {', '.join(allowed)}")
    name = next((each for each in reversed(field) if not each.isdigit()), "")
    info = part.model_fields.get(name) if part else None
    text = NEEDED.get(detail["type"]) or (info and info.description) or detail["msg"]
    if detail["type"] != "missing":
        text = f"{detail['input']!r} cannot be used: {text}"
    return Problem(field=field, text=text)
