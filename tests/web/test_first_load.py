"""What a browser has to fetch before the perfusionist's page works."""

import re

import pytest

from service.web.pages import without_comments
from tests.web.conftest import Room

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOST_BYTES = 100 * 1024
LINKS = re.compile(r'(?:src|href)="([^"]+)"')
IMPORTS = re.compile(r'(?:from|import) "(\.[^"]+)"')


async def fetched(room: Room, page: str) -> dict[str, int]:
    """Every file that the page names, or that a module of it imports, and its bytes on the wire."""
    found: dict[str, int] = {}
    waiting = [page]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        headers = room.bearer() | {"Accept-Encoding": "gzip"}
        async with room.http.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200, path
            raw = b"".join([part async for part in answer.aiter_raw()])
            found[path] = len(raw)
        text = (await room.http.get(path, headers=headers)).text
        if path == page:
            waiting += LINKS.findall(text)
        elif path.endswith(".js"):
            folder = path.rpartition("/")[0]
            waiting += [f"{folder}/{name.removeprefix('./')}" for name in IMPORTS.findall(text)]
    return found


async def test_the_first_load_is_under_100_kb_and_everything_comes_from_this_room(
    shared_room: Room,
) -> None:
    found = await fetched(shared_room, "/")
    assert len(found) > 30, "page, styles, modules and the curve's library"
    foreign = [path for path in found if not path.startswith("/")]
    assert foreign == []
    assert sum(found.values()) < MOST_BYTES, sorted(found.items(), key=lambda one: -one[1])[:5]


async def test_comments_of_their_own_lines_are_left_out_and_nothing_else() -> None:
    text = """/** One line. */
/**
 * Several, with a * / in it.
 */
const half = /** @type {number} */ (whole) / 2;
/** @type {Map<string, number>} */ const rows = new Map();
const glob = "/*";
.css { color: red; } /* stays */
"""
    assert without_comments(text).split("\n") == [
        "",
        "",
        "",
        "",
        "const half = /** @type {number} */ (whole) / 2;",
        "/** @type {Map<string, number>} */ const rows = new Map();",
        'const glob = "/*";',
        ".css { color: red; } /* stays */",
        "",
    ]


async def test_the_curves_library_keeps_its_licence(shared_room: Room) -> None:
    text = (await shared_room.http.get("/vendor/uplot/uPlot.iife.min.js")).text
    assert text.startswith("/*!")
    own = (await shared_room.http.get("/js/reduce.js")).text
    assert "/**" not in own.split("export function reduce")[0]
    assert "export function reduce(" in own
