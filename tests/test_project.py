"""Facts of the tree that nobody would notice until a hospital, a lawyer or a reader does."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from protocols.schema import Protocol

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "package-lock.json")
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def text(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text("utf-8")


def pinned(lock: str) -> dict[str, str]:
    """Package and version of every line that pins one."""
    return dict(re.findall(r"^([a-z0-9_.-]+)==(\S+)", text(lock), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_registry_and_no_folder_of_the_machine_it_was_made_on(lock):
    traces = re.findall(r'"resolved".*|\S*file:/\S*|--\S*(?:index|host|links)\S*.*', text(lock))
    hosts = re.findall(r"https?://\S+", text(lock)) if lock.endswith(".lock") else []
    assert traces + hosts == []


@pytest.mark.parametrize("lock", LOCKS[:2])
def test_every_pinned_package_has_a_hash(lock):
    blocks = re.split(r"^(?=[a-z0-9_.-]+==)", text(lock), flags=re.MULTILINE)[1:]
    assert len(blocks) > 10
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_a_room_runs_the_versions_that_were_tested():
    tested = pinned("requirements-dev.lock")
    assert pinned("requirements.lock").items() <= tested.items()


def test_every_dependency_of_the_project_is_pinned():
    project = tomllib.loads(text("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    names = {re.split(r"[<>=[]", requirement)[0] for requirement in wanted}
    assert names <= pinned("requirements.lock").keys()


def test_the_licence_is_there_in_full():
    licence = text("LICENSE")
    assert "Apache License" in licence and "END OF TERMS AND CONDITIONS" in licence


def test_every_vendored_folder_keeps_its_licence():
    folders = [path for path in (ROOT / "web" / "vendor").iterdir() if path.is_dir()]
    assert folders
    assert [folder.name for folder in folders if not list(folder.glob("LICENSE*"))] == []


def test_the_readme_names_the_two_commands_and_what_this_is_not():
    readme = text("README.md")
    for said in ("make run", "make test", "Not a medical device", "IEC 60601-1-8 in mind"):
        assert said in readme


def test_the_core_asks_no_clock():
    asks = re.compile(r"\b(now|utcnow|today)\(|\bfromtimestamp\([^,()]*\)")
    core = sorted(ROOT.glob("service/core/*.py"))
    assert core
    assert [path.name for path in core if asks.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_document_claims_conformity_and_every_link_leads_somewhere(document):
    said = document.read_text("utf-8")
    assert "60601-1-8 compliant" not in said
    targets = [target.split("#")[0] for target in LINK.findall(said) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_document_can_be_reached_from_the_readme():
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        document = todo.pop()
        reached.add(document)
        for target in LINK.findall(document.read_text("utf-8")):
            path = (document.parent / target.split("#")[0]).resolve()
            found = path.glob("*.md") if path.is_dir() else [path]
            todo += [each for each in found if each in DOCUMENTS and each not in reached]
    assert [path.name for path in DOCUMENTS if path not in reached] == []


def test_the_guide_to_protocols_names_every_field_of_one():
    guide = text("docs", "adding-a-protocol.md")
    said = {field.name for field in fields(Protocol)} - {"sha256"}  # the loader's, not the file's
    assert {name for name in said if not re.search(rf"`\[*{name}\]*`", guide)} == set()
