"""What `site.toml` said at the last start and says now, as a line of the room's chain."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from protocols.locate import read_document
from service.core.model import Instant
from service.journal.codec import CODEC
from service.journal.rows import ROOM, Change, Configured, JournalError
from service.journal.store import Store
from service.site import SiteError

NAMES = ("name", "id")
"""What a device, a channel and whatever else stands in a list is told by."""

SECRET = ("password", "secret", "token")
HIDDEN = "(not recorded)"


def configured(store: Store, site: Path, at: Instant) -> Configured | None:
    """What is configured now and what of it changed, None when nothing did since the last start."""
    settings = settings_of(site)
    before = _last(store)
    if before is None:
        return Configured(at=at, settings=settings, changes=())
    changes = tuple(
        Change(key=key, before=before.get(key, ""), after=settings.get(key, ""))
        for key in {**before, **settings}
        if before.get(key) != settings.get(key)
    )
    return Configured(at=at, settings=settings, changes=changes) if changes else None


def settings_of(site: Path) -> dict[str, str]:
    """Every setting of a site file by its place, as `channel.inflow.input`; no secret is told."""
    return dict(_flat("", read_document(site, SiteError).table))


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{place}.{key}" if place else str(key), inner)
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for number, one in enumerate(value, 1):
            name = next((one[key] for key in NAMES if key in one), number)
            yield from _flat(f"{place}.{name}", one)
    else:
        yield place, _told(place, value)


def _told(place: str, value: Any) -> str:
    if any(word in place.rpartition(".")[2] for word in SECRET):
        return HIDDEN
    return _without_password(value) if isinstance(value, str) else repr(value)


def _without_password(text: str) -> str:
    """An address without what stands between the user's colon and the host's @."""
    scheme, found, rest = text.partition("://")
    user, at, host = rest.rpartition("@")
    if not (found and at and ":" in user):
        return text
    return f"{scheme}://{user.partition(':')[0]}:***@{host}"


def _last(store: Store) -> Mapping[str, str] | None:
    rows = list(store.spoken(ROOM, [Configured.__name__]))
    if not rows:
        return None
    newest = rows[-1]
    try:
        row: Configured = CODEC.decode(newest.kind, newest.body, newest.schema)
    except JournalError:
        return None
    return row.settings
