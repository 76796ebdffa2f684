"""What the control process is told by the supervisor that starts it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """The control process's settings: one line of JSON on its standard input.

    `socket` is where web processes connect, `supervisor` where heartbeats go; `acts` are what the
    supervisor did to the devices while no control process was there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: Path
    socket: Path
    supervisor: Path
    speed: float = 1.0
    boot: str
    version: str
    acts: tuple[str, ...] = ()
