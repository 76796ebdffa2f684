"""Wrong passwords cost time, longer each time, for the account and for the address."""

import pytest
from sqlalchemy import Connection

from service.accounts import lockout
from service.accounts.lockout import FORGOTTEN_S, FREE, LONGEST_S, subjects

T0 = 1_790_000_000.0
WHO = subjects(" P. One ", "10.0.0.7")


def wrong(db: Connection, times: int, who: tuple[str, str] = WHO) -> list[float]:
    return [lockout.failed(db, who, T0) for _ in range(times)]


@pytest.mark.requirement("RC-153")
def test_the_wait_doubles_with_each_wrong_try_up_to_a_quarter_of_an_hour(db: Connection) -> None:
    assert wrong(db, FREE["account"]) == [0.0] * FREE["account"]
    assert lockout.wait_s(db, WHO, T0) == 0
    assert wrong(db, 4) == [1.0, 2.0, 4.0, 8.0]
    assert lockout.wait_s(db, WHO, T0 + 3) == 5.0
    assert lockout.wait_s(db, WHO, T0 + 8) == 0.0
    assert wrong(db, 12)[-1] == LONGEST_S


@pytest.mark.requirement("RC-153")
def test_an_account_waits_whatever_address_is_used_and_however_it_is_written(
    db: Connection,
) -> None:
    wrong(db, FREE["account"] + 2)
    assert lockout.wait_s(db, subjects("p. one", "10.0.0.8"), T0) == 2.0
    assert lockout.wait_s(db, subjects("P. Two", "10.0.0.8"), T0) == 0.0


@pytest.mark.requirement("RC-153")
def test_an_address_that_tries_many_names_waits_for_all_of_them(db: Connection) -> None:
    for number in range(FREE["address"] + 1):
        lockout.failed(db, subjects(f"name {number}", "10.0.0.7"), T0)
    assert lockout.wait_s(db, subjects("another", "10.0.0.7"), T0) == 1.0


def test_the_right_password_clears_the_account_but_not_the_address(db: Connection) -> None:
    wrong(db, FREE["address"] + 1)
    lockout.succeeded(db, WHO[0])
    assert lockout.wait_s(db, subjects("p. one", "10.0.0.8"), T0) == 0.0
    assert lockout.wait_s(db, WHO, T0) == 1.0


def test_wrong_tries_are_forgotten_after_a_day(db: Connection) -> None:
    wrong(db, 30)
    later = T0 + FORGOTTEN_S + 1
    assert lockout.failed(db, WHO, later) == 0.0
