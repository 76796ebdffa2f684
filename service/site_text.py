"""The text of `hipec site example | check FILE`, and the same example as the site of a demo."""

import json
from pathlib import Path

from protocols.loader import ProtocolError
from service.core.guarding import shared_instruments
from service.site import SiteError, load_site, narrowed

EXAMPLE = Path(__file__).with_name("site_example.toml")

PORTS = '"/dev/hipec/'
DATABASE = '"sqlite:///hipec.db"'
ONE_MODULE = (
    "reads circuit and site probes: its error shows in neither. Put the site probes on an "
    "instrument of their own; until then it stands on the strip of what is not guarded"
)
LISTEN = '"127.0.0.1:8000"'


def example_text() -> tuple[int, str]:
    """A commented, complete site file that loads as it stands."""
    return 0, EXAMPLE.read_text(encoding="utf-8")


def demo_site(directory: Path, *, database: str, listen: str) -> str:
    """The example with its ports in a folder of simulated instruments, its database and address.

    The folder holds one link per device under the device's name.
    """
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in (
        (PORTS, _quoted(f"{directory}/")[:-1]),
        (DATABASE, _quoted(database)),
        (LISTEN, _quoted(listen)),
    ):
        text = text.replace(old, new)
    return text


def check_text(path: Path) -> tuple[int, str]:
    """Whether a site file and the protocols that it uses are good, else every problem."""
    try:
        site = load_site(path)
        protocols = site.load_protocols()
    except (SiteError, ProtocolError) as error:
        return 1, str(error)
    try:
        for protocol in protocols.values():
            narrowed(protocol, site.limits)
    except SiteError as error:
        return 1, "\n".join(f"{path}: {line}" for line in error.lines)
    widened = f"; widened envelopes: {', '.join(site.envelope)}" if site.envelope else ""
    shared = shared_instruments(site.room().channels)
    note = f"\n{path}: note: {', '.join(shared)} {ONE_MODULE}" if shared else ""
    return 0, (
        f"{path}: good (room {site.about.id}, mode {site.about.mode}, {len(site.device)} devices, "
        f"{len(site.channel)} channels, {len(protocols)} protocols{widened}){note}"
    )


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
