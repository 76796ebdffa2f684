"""The pages, signing in and out, and what a browser is told to do with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.core.model import PersonRole
from service.web.accounts import Session
from service.web.homes import PAGES, home_of
from tests.web.conftest import Room, open_room, settings_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def room(shared_room: Room) -> Iterator[Room]:
    shared_room.http.cookies.clear()
    yield shared_room
    shared_room.http.cookies.clear()


async def test_the_address_of_a_demo_just_works(room: Room) -> None:
    page = await room.http.get("/")
    session = await room.http.get("/api/session")
    given = await room.give("pause", "demo-1", {"Origin": room.origin})
    assert (page.status_code, session.status_code, given.status_code) == (200, 200, 202)
    assert "<html" in page.text
    assert session.json()["state"]["protocol"] == "closed-mmc-90"
    by = room.control.commands()[-1][1]["by"]
    assert (by["role"], by["station"]) == ("perfusionist", "perfusion")


async def test_a_demo_signs_in_only_browsers_that_use_this_machines_name(room: Room) -> None:
    page = await room.http.get("/", headers={"Host": "rebound.example"})
    assert (page.status_code, page.headers["location"]) == (303, "/signin")
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("changes", [{"mode": "real"}, {"mode": "test"}, {"listen": "0.0.0.0:0"}])
async def test_elsewhere_a_browser_needs_a_sign_in_link(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    async with open_room(tmp_path, **changes) as room:
        page = await room.http.get("/")
        form = await room.http.get("/signin")
    assert (page.status_code, page.headers["location"]) == (303, "/signin")
    assert (form.status_code, 'type="password"' in form.text) == (200, True)
    assert "set-cookie" not in page.headers


async def test_a_sign_in_link_leads_to_the_page_as_that_person(room: Room) -> None:
    code = room.code("anesthesia", user="A", station="anesthesia")
    signed_in = await room.http.get("/signin", params={"code": code})
    again = await room.http.get("/signin", params={"code": code})
    given = await room.give("set_flow", "as-a", {"Origin": room.origin}, ml_min=1000)
    asked = await room.give("request", "as-b", {"Origin": room.origin}, kind="pause")
    assert signed_in.status_code == 303
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert (given.status_code, "anesthesia" in given.json()["reason"]) == (403, True)
    assert asked.status_code == 202
    by = room.control.commands()[-1][1]["by"]
    assert by == {"user": "A", "role": "anesthesia", "station": "anesthesia"}


@pytest.mark.parametrize(
    ("role", "screen", "home"),
    [
        ("perfusionist", None, "/"), ("anesthesia", None, "/anesthesia"), ("qa", None, "/qa"),
        ("surgeon", None, "/anesthesia"), ("admin", "perfusionist", "/admin"),
        (None, "display", "/wall"), (None, "anesthesia", "/anesthesia"),
        (None, "perfusionist", "/"),
    ],
)  # fmt: skip
async def test_everybody_has_a_page_of_the_own_role_or_else_of_the_screen(
    tmp_path: Path, role: str | None, screen: str | None, home: str
) -> None:
    settings = settings_in(tmp_path, pages=tmp_path)
    session = Session(
        user="P" if role else "",
        role=PersonRole(role or "display"),
        screen_role=PersonRole(screen) if screen else None,
    )
    assert home_of(session, settings) == "/"
    (tmp_path / PAGES[home]).write_text("")
    assert home_of(session, settings) == home


async def test_a_link_clicked_on_a_foreign_page_moves_on_by_a_page_of_ours(room: Room) -> None:
    answer = await room.http.get(
        "/signin", params={"code": room.code()}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert "SameSite=strict" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("origins", "name", "secure"),
    [((), "hipec=", False), (("https://or3.example",), "__Host-hipec=", True)],
)
async def test_the_cookie_is_out_of_reach_of_scripts_and_bound_to_tls_where_there_is_tls(
    tmp_path: Path, origins: tuple[str, ...], name: str, secure: bool
) -> None:
    async with open_room(tmp_path, origins=origins) as room:
        answer = await room.http.get("/signin", params={"code": room.code()})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(name)
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert ("Secure" in cookie) == secure
    assert ("strict-transport-security" in answer.headers) == secure


@pytest.mark.parametrize(("code", "status"), [("wrong", 401), ("", 422), ("x" * 300, 422)])
async def test_a_link_that_is_not_valid_signs_nobody_in(room: Room, code: str, status: int) -> None:
    answer = await room.http.get("/signin", params={"code": code})
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


async def test_signing_out_ends_the_session(room: Room) -> None:
    await room.http.get("/signin", params={"code": room.code("qa", user="Q")})
    foreign = await room.http.post("/signout", headers={"Origin": "http://elsewhere.example"})
    out = await room.http.post("/signout", headers={"Origin": room.origin})
    after = await room.http.get("/api/session")
    assert (foreign.status_code, out.status_code, after.status_code) == (403, 204, 401)


async def test_signing_out_leaves_the_station_enrolled(room: Room) -> None:
    await room.http.get("/signin", params={"code": room.code(station="perfusion")})
    await room.http.post("/signout", headers={"Origin": room.origin})
    own = {"Origin": room.origin}
    stop = await room.give("stop", "station-1", own)
    pause = await room.give("pause", "station-2", own)
    watched = await room.http.get("/api/session")
    assert (stop.status_code, pause.status_code, watched.status_code) == (202, 401, 200)


async def test_every_answer_carries_the_security_headers(room: Room) -> None:
    for path in ("/", "/healthz", "/api/session", "/nothing", "/api/live/schema.json"):
        headers = (await room.http.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == ("no-store" if path.startswith("/api") else "no-cache")


async def test_only_the_files_of_the_pages_are_served(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    (pages / "node_modules").mkdir(parents=True)
    for name in ("index.html", "main.js", "notes.md", ".env", "node_modules/x.js"):
        (pages / name).write_text("text")
    (tmp_path / "outside.js").write_text("secret")
    async with open_room(tmp_path, pages=pages) as room:
        statuses = {
            path: (await room.http.get(path)).status_code
            for path in (
                "/main.js", "/notes.md", "/.env", "/node_modules/x.js", "/%2e%2e/outside.js",
                "/a%00.js", "/none.js", "/api/none.js",
            )
        }  # fmt: skip
    assert [path for path, status in statuses.items() if status == 200] == ["/main.js"]
    assert {status for status in statuses.values() if status != 200} == {404}


async def test_an_installation_without_pages_says_so(tmp_path: Path) -> None:
    async with open_room(tmp_path, pages=tmp_path / "missing") as room:
        answer = await room.http.get("/")
    assert answer.status_code == 404
    assert "missing" in answer.json()["reason"]


async def test_the_protocols_of_the_room_are_listed(tmp_path: Path) -> None:
    entry = {"id": "p", "title": "P", "technique": "open", "duration_min": 30.0}
    async with open_room(tmp_path, protocols=[entry]) as room:
        nobody = await room.http.get("/api/protocols")
        listed = await room.http.get("/api/protocols", headers=room.bearer("qa"))
    assert nobody.status_code == 401
    assert [(p["id"], p["technique"], p["duration_min"]) for p in listed.json()] == [
        ("p", "open", 30.0)
    ]


READ = ["200", "401", "503"]
ENDS = ("", "/curve", "/proof", "/export")
RECORD = ["200", "401", "403", "404", "422", "429", "503"]
ADMIN = ["200", "401", "403", "503"]
CHANGE = ["400", "401", "403", "413", "422", "503"]


async def test_openapi_names_every_answer_and_needs_no_sign_in(room: Room) -> None:
    api = (await room.http.get("/api/openapi.json")).json()
    named = {
        path: sorted(next(iter(item.values()))["responses"]) for path, item in api["paths"].items()
    }
    assert named == {
        "/healthz": ["200", "503"],
        "/api/live/schema.json": ["200"],
        "/api/session": READ,
        "/api/protocols": READ,
        "/api/session/commands": sorted({*CHANGE, "202", "409", "429"}),
        "/api/session/commands/{key}": [*READ[:2], "404", "422", "503"],
        "/api/v1/history": [*READ[:2], "422", "503"],
        "/api/v1/what-if": [*READ[:2], "409", "422", "429", "503"],
        "/api/v1/dose": [*READ[:2], "404", "422", "503"],
        "/api/v1/signin": ["200"],
        "/api/v1/people": ADMIN,
        "/api/v1/people/{name}": sorted({*CHANGE, "200"}),
        "/api/v1/people/{name}/link": sorted({*CHANGE, "201"}),
        "/api/v1/stations": ADMIN,
        "/api/v1/stations/{which}": sorted({*CHANGE, "204"}),
        "/api/v1/password": sorted({*CHANGE, "204", "429"}),
        "/api/v1/records": ["200", "401", "403", "429", "503"],
        **{f"/api/v1/records/{{session}}{end}": RECORD for end in ENDS},
        "/signin": ["200", "303", "401", "422", "503"],
        "/signout": ["204", "401", "403", "503"],
    }  # fmt: skip
    assert (await room.http.get("/docs")).status_code == 404


async def test_a_wrong_method_says_which_is_right(room: Room) -> None:
    answer = await room.http.delete("/api/session")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert (await room.http.get("/api/session/commands")).status_code == 405
