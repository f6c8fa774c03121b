from __future__ import annotations

from pathlib import Path

import pytest

from gridwarden.demo.district import FILE
from gridwarden.district import District, parse_district, read_district
from models.errors import SettingsError
from models.ids import NodeId
from models.taxonomy import load_taxonomy

SMALL = """
[district]
zh = "小街道"
en = "Small"
[[cell]]
id = "c1"
code = "001"
name = "一网格"
boundary = [[113.0, 34.0], [113.1, 34.0], [113.1, 34.1]]
[[person]]
id = "p1"
name = "王建国"
username = "wang"
role = "worker"
department = "CG"
cells = ["c1"]
[[duty]]
cell = "c1"
person = "p1"
post = "worker"
[[camera]]
id = "cam"
name = "路口"
source = "rtsp://10.0.0.9/stream"
position = [113.05, 34.05]
overrides.F1 = { dwell_s = 30 }
[[camera.zone]]
name = "禁停区"
kind = "no_parking"
polygon = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]
"""


def parse(text: str) -> District:
    return parse_district(text, where="district.toml", taxonomy=load_taxonomy(), node_id=NodeId("box"))


def test_a_district_file_becomes_cells_people_roster_and_cameras() -> None:
    district = parse(SMALL)
    assert [cell.name for cell in district.cells] == ["一网格"]
    assert district.usernames == {"p1": "wang"}
    assert district.duties[0].person_id == "p1"
    assert district.cameras[0].overrides == {"F1": {"dwell_s": 30}}


def test_the_demonstration_district_can_be_read() -> None:
    district = read_district(FILE, taxonomy=load_taxonomy(), node_id=NodeId("box"))
    assert len(district.cells) == 4


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('kind = "no_parking"', 'kind = "parking_forbidden"', r"camera\.0\.zone\.0\.kind.*'footway'"),
        ("[0.9, 0.1]", "[1.9, 0.1]", r"camera\.0\.zone\.0\.polygon"),
        ('cells = ["c1"]', 'cells = ["c9"]', r"person p1: cell c9 does not exist; there are: c1"),
        ('department = "CG"', 'department = "XX"', r"department XX does not exist"),
        ("F1 = { dwell_s = 30 }", "F1 = { dwel_s = 30 }", r"overrides\.F1: dwel_s: a recipe's figures are"),
        ("overrides.F1", "overrides.Z9", r"overrides\.Z9: no subcategory"),
        ("F1 = { dwell_s = 30 }", "F1 = { area = 2 }", r"overrides\.F1: area = 2 is not a number from 0 to 1"),
        ("F1 = { dwell_s = 30 }", "F1 = { hours = 7 }", r"overrides\.F1: hours = 7: write \[from, to\]"),
        ("F1 = { dwell_s = 30 }", "F1 = { permit = { to = 7 } }", r"overrides\.F1: permit\.to = 7 is not a day like"),
        ('post = "worker"', 'post = "boss"', r"duty\.0\.post"),
        ('id = "c1"', 'id = "c1"\nowner = "x"', r"cell\.0\.owner: Extra inputs are not permitted"),
        ("[district]", "[district", "is not TOML"),
    ],
)
def test_a_wrong_place_is_named_with_what_would_be_right(right: str, wrong: str, told: str) -> None:
    assert right in SMALL
    with pytest.raises(SettingsError, match=f"(?s)district.toml.*{told}"):
        parse(SMALL.replace(right, wrong, 1))


def test_every_wrong_place_is_told_at_once() -> None:
    with pytest.raises(SettingsError, match="2 wrong places"):
        parse(SMALL.replace('"no_parking"', '"nowhere"').replace('post = "worker"', 'post = "boss"'))


def test_a_camera_named_twice_is_refused() -> None:
    twice = SMALL + SMALL[SMALL.index("[[camera]]") :]
    with pytest.raises(SettingsError, match="camera cam is there 2 times"):
        parse(twice)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.toml cannot be read: No such file"):
        read_district(tmp_path / "nowhere.toml", taxonomy=load_taxonomy(), node_id=NodeId("box"))
