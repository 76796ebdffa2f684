"""A changed site file is a line of the room's chain: which settings, from what to what."""

from pathlib import Path

import pytest

from service.control.configured import HIDDEN, configured, settings_of
from service.journal.rows import ROOM, Change
from service.journal.store import open_writing
from service.journal.writer import Writer
from service.records.sessions import show_session
from service.site_text import demo_site
from tests.core.bench import Bench
from tests.journal.signed import key_of

AT = Bench().start.now


@pytest.mark.requirement("RC-192")
def test_each_start_records_what_of_the_site_file_changed_since_the_start_before(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'hipec.db'}"
    store = open_writing(url)
    key_of(store, tmp_path / "key")
    site = tmp_path / "site.toml"
    text = demo_site(tmp_path, database=url, listen="127.0.0.1:0")

    def start(says: str) -> tuple[Change, ...] | None:
        site.write_text(says, encoding="utf-8")
        if (said := configured(store, site, AT)) is None:
            return None
        writer = Writer(store, on_durable=lambda ticket: None, on_trouble=lambda why: None)
        writer.append(ROOM, (said,))
        writer.close()
        return said.changes

    assert start(text) == (), "the first start has nothing to compare with"
    assert start(text) is None, "the same file is no line"
    other = text.replace('site = "pelvis"', 'site = "bladder_roof"')
    (change,) = start(other) or ()
    assert change.key.endswith(".site") and change.key.startswith("channel.")
    assert (change.before, change.after) == ("pelvis", "bladder_roof")
    told = show_session(url, ROOM)[1]
    assert f"{change.key}: pelvis → bladder_roof" in told
    assert "site file read for the first time" in told
    store.close()


def test_no_secret_of_a_site_file_is_recorded(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[room]\ndatabase = "postgresql+psycopg://hipec:geheim@db/room"\n'
        '[[device]]\nname = "pump"\npassword = "geheim"\nport = "/dev/pump"\n'
    )
    settings = settings_of(site)
    assert settings["room.database"] == "postgresql+psycopg://hipec:***@db/room"
    assert settings["device.pump.password"] == HIDDEN
    assert settings["device.pump.port"] == "/dev/pump"
    assert "geheim" not in str(settings)
