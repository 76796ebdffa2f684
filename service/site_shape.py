"""The shape of `site.toml`: its tables, and the room that they make for the core."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from drivers.classes import Driver
from drivers.registry import make_driver
from protocols.loader import SHIPPED, load_all
from protocols.locate import TomlFileError
from protocols.schema import Envelope, Protocol
from service.core.model import Channel, Device, Mode, PersonRole, Role, Room, Unit

Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description='needed are letters, digits, "-", "_" and "."',
    ),
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
TargetC = Annotated[Number, Field(ge=37, le=46)]
Minutes = Annotated[Number, Field(ge=1, le=240)]


class SiteError(TomlFileError):
    """A site file that cannot be used: per line the file, line, field and what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RoomPart(_Part):
    """`[room]`: who the room is, where its data comes from, where it is kept and shown."""

    id: Name
    mode: Mode
    database: str = Field(
        pattern=r"^(sqlite:///.|postgresql\+psycopg://.)",
        description="needed is sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
    )
    listen: str = Field(
        pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}$",
        description="needed is HOST:PORT, as 127.0.0.1:8000",
    )
    heater_max_w: Number | None = Field(
        default=None, gt=0, le=10_000, description="needed is the heater's full power in W"
    )
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")], ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None


class DevicePart(_Part):
    """One `[[device]]`; every further key is a setting of its driver."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: Name
    driver: str
    port: str = Field(min_length=1, description="needed is a path, or socket://HOST:PORT")
    poll_hz: Number = Field(default=1.0, gt=0, le=20, description="needed is above 0 to 20 Hz")

    def make_driver(self) -> Driver:
        """A fresh driver with this device's settings; raises `SettingError`."""
        return make_driver(self.driver, self.model_extra or {})


class ChannelPart(_Part):
    """One `[[channel]]`: what an input of a device is in this room."""

    id: Name
    device: str
    input: Whole
    role: Role
    unit: Unit
    site: str = ""


class EnvelopePart(_Part):
    """One `[envelope.NAME]`: a widening of 42.5-43.5 °C and 30-90 min that somebody approved."""

    target_c: tuple[TargetC, TargetC] = Field(
        description="needed is [lowest, highest] within 37 to 46 °C"
    )
    duration_min: tuple[Minutes, Minutes] = Field(
        description="needed is [shortest, longest] within 1 to 240 min"
    )
    approved_by: str = Field(
        pattern=r"\S", description="needed are the name and function of who approved it"
    )


class ProtocolsPart(_Part):
    """`[protocols]`: the folder of the protocol files, the shipped ones when it is not named."""

    directory: Path = SHIPPED


class RecordPart(_Part):
    """`[record]`: the signing key, and where copies of the signed checkpoints are kept."""

    key: Path | None = None
    checkpoints: Path | None = None


class OidcPart(_Part):
    """`[accounts.oidc]`: a provider that people may sign in by; local accounts go on working.

    `secret_file` holds the client's secret; `roles` gives a group of the provider a role here,
    `claim` names where it lists the groups.
    """

    issuer: str = Field(pattern=r"^https?://\S+$", description="needed is the issuer's address")
    client_id: str
    secret_file: Path | None = None
    claim: str = "groups"
    roles: dict[str, PersonRole]


class AccountsPart(_Part):
    """`[accounts]`: how long a person may be away, minutes, and who else knows them."""

    idle_min: Number = Field(default=15, gt=0, le=600, description="needed are minutes, as 15")
    oidc: OidcPart | None = None


class Site(_Part):
    """A whole `site.toml`; `about` is its `[room]`."""

    about: RoomPart = Field(alias="room")
    device: tuple[DevicePart, ...]
    channel: tuple[ChannelPart, ...]
    limits: dict[str, Number] = {}
    envelope: dict[str, EnvelopePart] = {}
    protocols: ProtocolsPart = ProtocolsPart()
    record: RecordPart = RecordPart()
    accounts: AccountsPart = AccountsPart()

    def room(self, speed: float = 1.0) -> Room:
        """The room as the core sees it; raises `SiteError` for a speed that its mode forbids."""
        if not (math.isfinite(speed) and speed > 0):
            raise SiteError([f"speed {speed:g} cannot be used; give a number above 0"])
        if speed != 1 and self.about.mode is Mode.REAL:
            raise SiteError(
                [f'speed {speed:g} is refused: room "{self.about.id}" is in mode real, where time'
                 " runs as it is; leave --speed out, or use a site of mode demo or test"]
            )  # fmt: skip
        poll_hz = {device.name: device.poll_hz for device in self.device}
        drivers = {device.name: device.make_driver() for device in self.device}
        resolutions = {
            (name, each.number): each.resolution
            for name, driver in drivers.items()
            for each in driver.inputs
        }
        return Room(
            id=self.about.id,
            mode=self.about.mode,
            speed=speed,
            channels=tuple(
                Channel(
                    id=channel.id,
                    device=channel.device,
                    input=channel.input,
                    role=channel.role,
                    unit=channel.unit,
                    site=channel.site,
                    interval_s=1 / poll_hz[channel.device],
                    resolution=resolutions[channel.device, channel.input],
                )
                for channel in self.channel
            ),
            devices=tuple(
                Device(
                    name=device.name,
                    driver=device.driver,
                    device_class=drivers[device.name].device_class,
                )
                for device in self.device
            ),
            limits=self.limits,
            heater_max_w=self.about.heater_max_w,
        )

    def envelopes(self) -> dict[str, Envelope]:
        """The site's named widenings of the envelope."""
        return {
            name: Envelope(
                name=name,
                target_c=part.target_c,
                duration_min=part.duration_min,
                approved_by=part.approved_by,
            )
            for name, part in self.envelope.items()
        }

    def load_protocols(self) -> Mapping[str, Protocol]:
        """The protocols that this room may use, by id; raises `protocols.loader.ProtocolError`."""
        return load_all(self.protocols.directory, self.envelopes())

    @property
    def key_path(self) -> Path:
        """Where the signing key lies: beside an SQLite database where the site names no place."""
        prefix, database = "sqlite:///", self.about.database
        beside = database.removeprefix(prefix) if database.startswith(prefix) else "hipec"
        return self.record.key or Path(beside + ".key")

    @property
    def host_port(self) -> tuple[str, int]:
        """Where the pages are served."""
        host, _, port = self.about.listen.rpartition(":")
        return host.strip("[]"), int(port)


PARTS: Mapping[str, type[BaseModel]] = {
    "room": RoomPart,
    "device": DevicePart,
    "channel": ChannelPart,
    "envelope": EnvelopePart,
    "protocols": ProtocolsPart,
    "record": RecordPart,
    "accounts": AccountsPart,
}
