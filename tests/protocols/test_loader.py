"""A protocol that is not sound is refused with file, line, field and what is allowed."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.loader import SHIPPED, ProtocolError, load, load_all
from protocols.reader import read_table
from protocols.rules import problems_in
from protocols.schema import DEFAULT_ENVELOPE, Envelope, Protocol

MMC = (SHIPPED / "closed-mmc-90.toml").read_text(encoding="utf-8")
ICARUS = Envelope(
    name="icarus",
    target_c=(41.0, 43.5),
    duration_min=(30.0, 100.0),
    approved_by="tumour board, 2026-01-01",
)

Write = Callable[..., Path]


@pytest.fixture
def changed(tmp_path: Path) -> Write:
    """Writes the mitomycin protocol with each (old, new) text exchanged once."""

    def write(*changes: tuple[str, str]) -> Path:
        text = MMC
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "changed.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def line_of(path: Path, start: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


NEEDS = 'perfuse       = { allowed = true,  needs = ["flow", "inflow", "site", "core"] }'

REFUSALS = [
    pytest.param(
        "high_c = 43.5",
        "high_c = 44.0",
        "target.high_c",
        "42.5 to 43.5",
        id="target above the envelope",
    ),
    pytest.param(
        "low_c = 42.5",
        "low_c = 41.0",
        "target.low_c",
        "42.5 to 43.5",
        id="target below the envelope",
    ),
    pytest.param(
        "duration_min = 90.0",
        "duration_min = 100.0",
        "clock.duration_min",
        "30 to 90",
        id="too long",
    ),
    pytest.param(
        "[90.0, 90.0]", "[20.0, 90.0]", "clock.duration_range_min.0", "30 to 90", id="too short"
    ),
    pytest.param(
        "hold_s = 60.0", "hold_sec = 60.0", "gate.hold_sec", "allowed are role", id="unknown key"
    ),
    pytest.param("hold_s = 60.0", "", "gate.hold_s", "is missing", id="missing key"),
    pytest.param("version = 1", 'version = "1"', "version", "a whole number", id="wrong type"),
    pytest.param(
        "version = 1", "version = true", "version", "a whole number", id="a yes for a number"
    ),
    pytest.param(
        "hold_s = 60.0", "hold_s = nan", "gate.hold_s", "from 0 to 3600 s", id="not a number"
    ),
    pytest.param("hold_s = 60.0", "hold_s = inf", "gate.hold_s", "from 0 to 3600 s", id="infinite"),
    pytest.param(
        "site_medium_c = 43.8",
        "site_medium_c = 438",
        "site_medium_c",
        "30 to",
        id="lost decimal point",
    ),
    pytest.param(
        '"closed"\ndesc', '"shut"\ndesc', "technique", "one of open, closed", id="unknown word"
    ),
    pytest.param(
        '"site", "core"] }\ndrug', '"sight"] }\ndrug', "heat.heat_up", "no role", id="unknown role"
    ),
    pytest.param(
        NEEDS, NEEDS.replace('"site", ', ""), "perfuse.needs", '"site" is', id="heat without a site"
    ),
    pytest.param(
        "drain         = { allowed = false",
        "drain = { allowed = true",
        "heat.drain.allowed",
        "must be off",
        id="heat in the drain",
    ),
    pytest.param(
        "[heat]",
        "[heat]\nsoak = { allowed = false, needs = [] }",
        "soak",
        "no phase",
        id="unknown phase",
    ),
    pytest.param(
        'before = "fill"', 'before = "soak"', "before", "is no phase", id="checklist before nothing"
    ),
    pytest.param(
        "iap_warn_mmhg = 20.0", "iap_warn_mmhg = 25.0", "iap_warn", "below", id="warning above stop"
    ),
    pytest.param(
        "site_low_priority_c = 43.5",
        "site_low_priority_c = 43.0",
        "target.high_c",
        "at most",
        id="ceiling below the band",
    ),
    pytest.param(
        "bath_max_c = 46.5",
        "bath_max_c = 47.0",
        "bath_max_c",
        "for ever",
        id="bath too hot for ever",
    ),
    pytest.param(
        "inflow_c = 45.0", "inflow_c = 45.8", "perfusate.inflow_c", "45.7", id="inflow too near"
    ),
    pytest.param(
        '"dialysate"\nvol',
        '"dextrose 5 %"\nvol',
        "perfusate.carrier",
        "one of dialysate",
        id="carrier of another drug",
    ),
    pytest.param(
        "share = 0.5",
        "share = 0.25",
        "drug.fractions",
        "add up to 0.75",
        id="half the dose missing",
    ),
    pytest.param(
        "at_min = 60.0",
        "at_min = 95.0",
        "drug.fractions.2.at_min",
        "below 90",
        id="fraction after the end",
    ),
    pytest.param(
        "at_min = 30.0", "at_min = 70.0", "drug.fractions", "rise", id="fractions out of order"
    ),
    pytest.param(
        '"clock" = ',
        '"clock.ends_on" = ',
        "clock.duration_min",
        "no source",
        id="number without source",
    ),
    pytest.param(
        '"clock" = ',
        '"clocks" = "x"\n"clock" = ',
        "sources.clocks",
        "no field",
        id="source of nothing",
    ),
    pytest.param(
        'ceiling     = { heat = "off"',
        'ceiling = { heat = "as_is"',
        "matrix.temperature_ceiling.heat",
        '"off"',
        id="heat kept at a ceiling",
    ),
    pytest.param(
        '["nasopharynx", "oesophagus"]', "[]", "core_decides", "at least one", id="no deciding core"
    ),
]


@pytest.mark.parametrize(("old", "new", "field", "allowed"), REFUSALS)
def test_a_protocol_is_refused_for(changed, old, new, field, allowed):
    path = changed((old, new))

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert any(
        line.startswith(f"{path}:") and field in line and allowed in line
        for line in refused.value.lines
    ), str(refused.value)


def test_the_line_of_the_field_is_named(changed):
    path = changed(("high_c = 43.5", "high_c = 44.0"))

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert f"{path}:{line_of(path, 'high_c')}: target.high_c: 44 °C" in str(refused.value)


def test_a_missing_field_is_named_with_the_line_of_its_table(changed):
    path = changed(("hold_s = 60.0", ""))

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert f"{path}:{line_of(path, '[gate]')}: gate.hold_s: is missing" in str(refused.value)


@pytest.mark.requirement("RC-101")
def test_an_empty_row_of_the_matrix_is_refused_with_its_line(changed):
    row = next(line for line in MMC.splitlines() if line.startswith("no_flow  "))
    path = changed((row, "no_flow = {}"))

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert refused.value.lines == (
        f"{path}:{line_of(path, 'no_flow = {}')}: matrix.no_flow: is empty; it needs heat, pump, "
        "returns, resumed_by",
    )


@pytest.mark.requirement("RC-101")
def test_a_missing_row_of_the_matrix_is_refused(changed):
    row = next(line for line in MMC.splitlines() if line.startswith("leak "))
    path = changed((row, ""))

    with pytest.raises(ProtocolError, match=r"matrix\.leak: the row is missing"):
        load(path)


@pytest.mark.requirement("RC-211")
@pytest.mark.parametrize(
    ("event", "old", "new"),
    [
        ("bubble_or_reservoir_low", 'pump = "stop"', 'pump = "on"'),
        ("leak", 'pump = "stop"', 'pump = "as_is"'),
        ("no_flow", 'pump = "check_then_stop"', 'pump = "on"'),
        ("outflow_blocked", 'pump = "minimum_then_stop"', 'pump = "on"'),
        ("line_pressure_high", 'resumed_by = "person"', 'resumed_by = "as_is"'),
        ("patient_unstable", 'resumed_by = "surgeon"', 'resumed_by = "as_is"'),
        ("control_process_dead", 'pump = "never_faster"', 'pump = "on"'),
        ("host_dead", 'pump = "watchdog_off"', 'pump = "as_is"'),
        ("iap_not_monitored", 'heat = "as_is"', 'heat = "off"'),
    ],
)
def test_a_row_that_does_not_answer_its_event_or_would_not_be_obeyed_is_refused(
    changed, event, old, new
):
    row = next(line for line in MMC.splitlines() if line.startswith(f"{event} "))
    path = changed((row, row.replace(old, new)))

    with pytest.raises(ProtocolError, match=rf"matrix\.{event}\.\w+: must be"):
        load(path)


def test_a_protocol_without_its_stop_point_is_refused(changed):
    path = changed(("names = 2", "names = 1"), ("names = 2", "names = 1"))

    with pytest.raises(ProtocolError, match="no item before drug_addition with names = 2"):
        load(path)


def test_all_problems_are_listed_at_once_one_per_line_in_the_order_of_the_file(changed):
    path = changed(
        ("high_c = 43.5", "high_c = 44.0"),
        ("hold_s = 60.0", "hold_s = nan"),
        ("share = 0.5", "share = 0.6"),
        ("leak         ", "leek         "),
    )

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert [line.split(": ")[1] for line in refused.value.lines] == [
        "target.high_c",
        "target.high_c",
        "gate.hold_s",
        "drug.fractions",
        "matrix.leak",
        "matrix.leek",
    ]


def test_broken_toml_is_named_with_its_line(changed):
    path = changed(("high_c = 43.5", "high_c = = 43.5"))

    with pytest.raises(ProtocolError) as refused:
        load(path)

    assert str(refused.value).startswith(f"{path}:{line_of(path, 'high_c')}: is not valid TOML")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProtocolError, match=r"gone\.toml: cannot be read"):
        load(tmp_path / "gone.toml")


def test_a_named_envelope_admits_what_the_default_refuses(changed):
    path = changed(
        ('id = "closed-mmc-90"', 'id = "icarus"\nenvelope = "icarus"'),
        ("duration_min = 90.0", "duration_min = 100.0"),
        ("[90.0, 90.0]", "[90.0, 100.0]"),
        ("cap_min = 90.0", "cap_min = 100.0"),
        ("low_c = 42.5", "low_c = 41.0"),
    )

    protocol = load(path, {"icarus": ICARUS})

    assert protocol.envelope is ICARUS
    assert protocol.clock.duration_min == 100


def test_an_envelope_that_the_site_does_not_have_is_refused(changed):
    path = changed(('id = "closed-mmc-90"', 'id = "icarus"\nenvelope = "icarus"'))

    with pytest.raises(ProtocolError, match="'icarus' is not an envelope of this site"):
        load(path)


@pytest.mark.requirement("RC-100")
def test_a_wider_envelope_does_nothing_for_a_protocol_that_does_not_ask_for_it(changed):
    path = changed(("duration_min = 90.0", "duration_min = 100.0"))

    with pytest.raises(ProtocolError, match="outside the envelope"):
        load(path, {"icarus": ICARUS})


def test_two_files_with_one_id_are_refused(tmp_path):
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(MMC, encoding="utf-8")

    with pytest.raises(ProtocolError, match='"closed-mmc-90" is used by another file'):
        load_all(tmp_path)


def leaves(node, path=()):
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from leaves(child, (*path, key))


@given(
    where=st.sampled_from(list(leaves(tomllib.loads(MMC)))),
    value=st.sampled_from([None, True, -1, 7, 2.5, float("nan"), "", "x", [], [[]], {}, {"a": 1}]),
)
@example(where=("checklist", 7, "id"), value=[])
def test_nothing_that_can_stand_in_a_file_makes_the_loader_fall_over(where, value):
    table = tomllib.loads(MMC)
    inner = table
    for key in where[:-1]:
        inner = inner[key]
    if value is None:
        del inner[where[-1]]
    else:
        inner[where[-1]] = value

    problems = problems_in(table, DEFAULT_ENVELOPE)
    given_fields = {"envelope": DEFAULT_ENVELOPE, "sha256": "0"}
    protocol = read_table(Protocol, table, (), problems, given_fields)

    assert isinstance(protocol, Protocol) or problems
