"""Who may come in: people by password or link, screens by enrolment, all of it revocable."""

import pytest
from sqlalchemy import Connection, text

from service.accounts import passwords, people, sign_ins, stations
from service.accounts.people import AccountsError
from service.accounts.sign_ins import CODE_S, LASTS_S, Code
from service.accounts.stations import DISPLAY_S
from service.accounts.store import AccountStore
from service.accounts.tables import hashed
from service.core.model import PersonRole
from service.journal.store import open_reading, open_writing

PERFUSIONIST, QA, DISPLAY = PersonRole.PERFUSIONIST, PersonRole.QA, PersonRole.DISPLAY
GOOD = "four quiet green boats"
T0 = 1_790_000_000.0


def test_a_password_is_kept_as_argon2id_and_only_the_right_one_fits(db: Connection) -> None:
    people.add(db, "P. One", PERFUSIONIST, GOOD)
    name, stored = people.password_of(db, " p. one ") or ("", None)
    assert name == "P. One"
    assert stored is not None and stored.startswith("$argon2id$") and GOOD not in stored
    assert passwords.is_right(GOOD, stored)
    assert not passwords.is_right(GOOD + "x", stored)
    assert not passwords.is_right("no person has this password", None)
    assert not passwords.is_right(GOOD, "rubbish")


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "12 characters"), ("x" * 201, "at most"), ("my P. One password", "own name"),
     ("aaaaaaaaaaaaaaa", "different")],
)  # fmt: skip
def test_a_weak_password_is_refused_with_what_would_do(
    db: Connection, password: str, why: str
) -> None:
    with pytest.raises(AccountsError, match=why) as refused:
        people.add(db, "P. One", PERFUSIONIST, password)
    assert refused.value.field == "password"
    assert people.everybody(db) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\nb", "p. ONE"])
def test_a_name_that_cannot_be_or_is_taken_is_refused(db: Connection, name: str) -> None:
    people.add(db, "P. One", PERFUSIONIST)
    with pytest.raises(AccountsError) as refused:
        people.add(db, name, QA)
    assert refused.value.field == "name"


def test_a_display_is_no_person(db: Connection) -> None:
    with pytest.raises(AccountsError, match="station"):
        people.add(db, "Wall", DISPLAY)
    people.add(db, "P. One", PERFUSIONIST)
    with pytest.raises(AccountsError, match="station"):
        people.set_role(db, "P. One", DISPLAY)


def test_a_closed_account_is_out_at_once_and_a_new_role_counts_at_once(db: Connection) -> None:
    people.add(db, "P. One", PERFUSIONIST, GOOD)
    key = hashed(sign_ins.begin(db, "p. one", T0))
    people.set_role(db, "P. One", QA)
    found = sign_ins.of_token(db, key, T0)
    assert found is not None and (found.person, found.role) == ("P. One", QA)
    people.set_disabled(db, "P. One", True)
    assert sign_ins.of_token(db, key, T0) is None
    assert people.password_of(db, "P. One") is None
    people.set_disabled(db, "P. One", False)
    assert sign_ins.of_token(db, key, T0) is None


def test_another_password_ends_every_sign_in(db: Connection) -> None:
    people.add(db, "P. One", PERFUSIONIST, GOOD)
    key = hashed(sign_ins.begin(db, "P. One", T0))
    people.set_password(db, "P. One", "five loud red trains")
    assert sign_ins.of_token(db, key, T0) is None


def test_tokens_are_long_all_different_and_stored_only_hashed(db: Connection) -> None:
    people.add(db, "Q", QA)
    tokens = {sign_ins.begin(db, "Q", T0) for _ in range(50)}
    tokens |= {stations.enrol(db, "wall", "or-3", DISPLAY, T0)}
    assert len(tokens) == 51 and all(len(token) >= 43 for token in tokens)  # 256 bits in base 64
    kept = [
        *db.execute(text("SELECT * FROM sign_ins")),
        *db.execute(text("SELECT * FROM enrolments")),
    ]
    assert not any(token in map(str, row) for token in tokens for row in kept)


def test_a_sign_in_ends_after_a_working_day(db: Connection) -> None:
    people.add(db, "Q", QA)
    key = hashed(sign_ins.begin(db, "Q", T0))
    assert sign_ins.of_token(db, key, T0 + LASTS_S - 1)
    assert sign_ins.of_token(db, key, T0 + LASTS_S) is None
    sign_ins.begin(db, "Q", T0 + LASTS_S)
    assert db.scalar(text("SELECT count(*) FROM sign_ins")) == 1


@pytest.mark.requirement("RC-152")
def test_a_program_acts_at_its_station_only_while_that_is_enrolled_and_in_the_room(
    db: Connection,
) -> None:
    people.add(db, "P", PERFUSIONIST)
    stations.enrol(db, "perfusion", "or-3", PERFUSIONIST, T0)
    stations.enrol(db, "wall", "or-3", DISPLAY, T0)

    def station_of(name: str) -> str:
        key = hashed(sign_ins.begin(db, "P", T0, station=name, program=True))
        found = sign_ins.of_token(db, key, T0)
        return found.station if found else "nobody"

    assert [station_of(n) for n in ("perfusion", "wall", "elsewhere")] == ["perfusion", "", ""]
    stations.revoke(db, "perfusion")
    assert station_of("perfusion") == ""


def test_a_station_is_revoked_by_name_or_by_one_screens_fingerprint(db: Connection) -> None:
    tokens = [stations.enrol(db, "perfusion", "or-3", PERFUSIONIST, T0) for _ in range(2)]
    one, two = (stations.of_token(db, hashed(token), T0) for token in tokens)
    assert one and two and one.fingerprint != two.fingerprint
    stations.revoke(db, one.fingerprint)
    assert stations.of_token(db, hashed(tokens[0]), T0) is None
    assert stations.of_token(db, hashed(tokens[1]), T0) == two
    stations.revoke(db, "perfusion")
    assert stations.all_stations(db) == []
    with pytest.raises(AccountsError, match="perfusion"):
        stations.revoke(db, "perfusion")


def test_a_wall_display_has_to_be_enrolled_again_after_thirty_days(db: Connection) -> None:
    wall = hashed(stations.enrol(db, "wall", "or-3", DISPLAY, T0))
    pump = hashed(stations.enrol(db, "perfusion", "or-3", PERFUSIONIST, T0))
    later = T0 + DISPLAY_S
    assert stations.of_token(db, wall, later - 1)
    assert stations.of_token(db, wall, later) is None
    assert stations.of_token(db, pump, later)


@pytest.mark.parametrize(
    ("name", "role", "field"),
    [("Perfusion", PERFUSIONIST, "name"), ("", DISPLAY, "name"), ("x", QA, "role")],
)
def test_a_station_with_a_wrong_name_or_role_is_refused(
    db: Connection, name: str, role: PersonRole, field: str
) -> None:
    with pytest.raises(AccountsError) as refused:
        stations.enrol(db, name, "or-3", role, T0)
    assert refused.value.field == field


def test_a_code_opens_once_and_not_after_a_day(db: Connection) -> None:
    opens = Code(person="", station="wall", role=DISPLAY)
    used, late = (sign_ins.make_code(db, opens, T0) for _ in range(2))
    assert sign_ins.use_code(db, used, T0 + CODE_S - 1) == opens
    for code, at in ((used, T0), (late, T0 + CODE_S), ("guessed", T0)):
        with pytest.raises(AccountsError, match="Ask for a new one"):
            sign_ins.use_code(db, code, at)


def test_there_is_no_code_for_nobody(db: Connection) -> None:
    with pytest.raises(AccountsError, match="no account"):
        sign_ins.make_code(db, Code(person="X", station="", role=QA), T0)


def test_the_accounts_are_there_while_a_service_writes_the_journal(url: str) -> None:
    service = open_writing(url)
    accounts = AccountStore(url)
    with accounts.transaction() as db:
        people.add(db, "Q", QA)
    service.close()
    accounts.close()
    reading = open_reading(url)
    assert reading.chains() == []
    reading.close()
