"""Commands that the documents tell people to type exist, with the options named."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridwarden.cli import app
from gridwarden.district import NODE, parse_district
from models.taxonomy import load_taxonomy

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TOLD = re.compile(r"^\.venv/bin/gridwarden (.+)$", re.MULTILINE)
SCRIPTS = re.compile(r"\./?(scripts/\w+)")


def told_commands() -> list[tuple[str, str]]:
    return [(path.name, line) for path in DOCUMENTS for line in TOLD.findall(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("document", "line"), told_commands())
def test_a_command_in_a_document_is_understood(document: str, line: str) -> None:
    result = CliRunner().invoke(app, [*shlex.split(line, comments=True), "--help"])
    assert result.exit_code == 0, f"{document}: {line}\n{result.output}"


def test_an_option_that_does_not_exist_would_be_noticed() -> None:
    assert CliRunner().invoke(app, ["up", "--no-such-option", "--help"]).exit_code == 2


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_scripts_and_links_in_a_document_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (path.parent / link).exists()]
    missing += [script for script in SCRIPTS.findall(text) if not (ROOT / script).exists()]
    assert not missing


def test_the_example_of_a_district_file_can_be_read() -> None:
    text = (ROOT / "docs" / "district-file.md").read_text(encoding="utf-8")
    example, overrides = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    whole = example.replace("[[camera.zone]]", f"{overrides}\n[[camera.zone]]")
    district = parse_district(whole, where="docs", taxonomy=load_taxonomy(), node_id=NODE)
    assert [len(camera.overrides) for camera in district.cameras] == [4]
