"""`hipec protocols list | show ID | check FILE` say what a person needs to approve a protocol."""

from protocols.loader import SHIPPED, load_all
from protocols.schema import MATRIX_EVENTS
from protocols.show import check_text, list_text, show_text


def test_the_list_has_one_line_per_protocol():
    code, text = list_text()

    assert code == 0
    assert [line.split()[0] for line in text.splitlines()] == list(load_all())


def test_the_list_keeps_the_good_ones_when_a_file_is_bad(tmp_path):
    good = (SHIPPED / "closed.toml").read_text(encoding="utf-8")
    (tmp_path / "good.toml").write_text(good, encoding="utf-8")
    (tmp_path / "bad.toml").write_text("id = ", encoding="utf-8")

    code, text = list_text(tmp_path)

    assert code == 1
    assert text.startswith("closed ")
    assert "bad.toml:1: is not valid TOML" in text


def test_a_protocol_is_shown_with_every_number_row_and_source():
    code, text = show_text("open-oxaliplatin-30")

    assert code == 0
    assert "oxaliplatin 460 mg/m² in dextrose 5 % or dialysate" in text
    assert "intravenous leucovorin 20 mg/m² over 10 min, at -20 min from drug-in" in text
    assert "inflow_ceiling_c             46 °C" in text
    assert "42.5 °C" in text
    assert all(event in text for event in MATRIX_EVENTS)
    assert "limits.core_high_c: At or above 39.5 °C" in text


def test_an_unknown_protocol_is_answered_with_the_known_ones():
    code, text = show_text("open-cisplatin")

    assert code == 1
    assert 'There is no protocol "open-cisplatin"; known are closed-mmc-90' in text


def test_a_good_file_is_called_good_with_its_version_and_fingerprint():
    code, text = check_text(SHIPPED / "closed.toml")

    assert code == 0
    assert "good (closed version 1, sha256 " in text


def test_a_bad_file_is_answered_with_its_problems(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("", encoding="utf-8")

    code, text = check_text(path)

    assert code == 1
    assert f"{path}:1: target: is missing" in text
    assert f"{path}:1: matrix.no_flow: the row is missing" in text
