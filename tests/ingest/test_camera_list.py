import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.camera_list import MOST_BYTES, parse_camera_list, read_camera_list
from ingest.camera_row import merged
from models.errors import SettingsError
from models.ids import NodeId
from models.places import ZoneKind

NODE = NodeId("box")
CHINESE = """编号,名称,地址,用户名,密码,经度,纬度,间隔（秒）,是否常开,备注
cam-1,东门,rtsp://10.0.0.7/sub,admin,p@ss/1,121.47,31.23,5,否,新装
cam-2,西门,http://10.0.0.8/snap.jpg,,,121.48,31.24,,是,
"""


def parsed(text: str, encoding: str = "utf-8"):
    return parse_camera_list(text.encode(encoding), where="list.csv", node_id=NODE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_chinese_list_is_read_however_the_spreadsheet_saved_it(encoding):
    found = parsed(CHINESE, encoding)
    assert found.faults == ()
    assert [entry.camera.name for entry in found.entries] == ["东门", "西门"]
    first, second = (entry.camera for entry in found.entries)
    assert first.source == "rtsp://admin:p%40ss%2F1@10.0.0.7/sub"
    assert (first.position, first.max_interval_s, first.continuous) == ((121.47, 31.23), 5.0, False)
    assert second.continuous
    assert found.ignored == ("备注",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_english_headings_and_other_separators_are_read(delimiter):
    text = "Camera ID,Name,URL,Lon,Lat,Bearing\nc1,Gate,rtsp://10.0.0.7/,121.4,31.2,90°\n".replace(",", delimiter)
    (entry,) = parsed(text).entries
    assert (entry.camera.camera_id, entry.camera.bearing_deg) == ("c1", 90.0)


def test_json_lists_carry_zones_too():
    zone = {"name": "禁停", "kind": "no_parking", "polygon": [[0, 0], [1, 0], [1, 1]]}
    camera = {"id": "c1", "source": "rtsp://10.0.0.7/", "position": [121.4, 31.2], "zones": [zone]}
    (entry,) = parsed(json.dumps({"cameras": [camera]})).entries
    assert entry.camera.zones[0].kind is ZoneKind.NO_PARKING


@pytest.mark.parametrize(
    ("row", "field", "wrong"),
    [
        (",东门,rtsp://10.0.0.7/,121.4,31.2,5", "id", "missing"),
        ("门 1,东门,rtsp://10.0.0.7/,121.4,31.2,5", "id", "no id"),
        ("c1,东门,,121.4,31.2,5", "source", "missing"),
        ("c1,东门,ftp://10.0.0.7/x,121.4,31.2,5", "source", "not read over"),
        ("c1,东门,rtsp://10.0.0.7/,,31.2,5", "longitude", "missing"),
        ("c1,东门,rtsp://10.0.0.7/,31.2,121.4,5", "latitude", "out of range"),
        ("c1,东门,rtsp://10.0.0.7/,nan,31.2,5", "longitude", "out of range"),
        ("c1,东门,rtsp://10.0.0.7/,0,0,5", "position", "Guinea"),
        ("c1,东门,rtsp://10.0.0.7/,121.4,31.2,often", "max_interval_s", "no number"),
        ("c1,东门,rtsp://10.0.0.7/,121.4,31.2,0", "max_interval_s", "out of range"),
    ],
)
def test_a_bad_row_is_told_with_its_row_field_and_fix_and_the_good_ones_go_in(row, field, wrong):
    text = f"编号,名称,地址,经度,纬度,间隔\ngood-1,a,rtsp://10.0.0.1/,121.4,31.2,5\n{row}\ngood-2,b,rtsp://10.0.0.2/,121.4,31.2,5\n"
    found = parsed(text)
    assert [entry.camera.camera_id for entry in found.entries] == ["good-1", "good-2"]
    (fault,) = found.faults
    assert (fault.row, fault.field) == (3, field)
    assert wrong in fault.wrong
    assert fault.fix


def test_every_fault_of_a_row_is_told_at_once_and_blank_rows_keep_the_count():
    found = parsed("id,address,lon,lat\n\n!,ftp://x,200,95\n")
    assert {(fault.row, fault.field) for fault in found.faults} == {(3, "id"), (3, "source"), (3, "longitude")}


def test_an_id_used_twice_is_told_with_the_row_it_was_used_in_first():
    found = parsed("id,address,lon,lat\nc1,rtsp://10.0.0.1/,121,31\nc1,rtsp://10.0.0.2/,121,31\n")
    assert "row 2" in found.faults[0].wrong


def test_no_fault_shows_a_password():
    found = parsed("id,address,lon,lat\nc1,rtsp://admin:ge/heim@10.0.0.1:x/,121,31\nc2,ftp://a:geheim@b/,121,31\n")
    assert len(found.faults) == 2
    assert "heim" not in repr(found.faults)


def test_a_row_about_a_known_camera_leaves_alone_what_it_does_not_speak_of(camera):
    (entry,) = parsed("id,address,lon,lat\ncam,rtsp://10.0.0.9/,121,31\n").entries
    present = camera("rtsp://10.0.0.1/", interval_s=3.0)
    changed = merged(present, entry.camera, entry.given)
    assert (changed.source, changed.max_interval_s, changed.name) == ("rtsp://10.0.0.9/", 3.0, "cam")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name,lon\nx,1\n", "no column for id and source"),
        ("id,编号,address\n1,2,3\n", "two columns for id"),
        ('id,address\n"c1,x\n', "quotation mark"),
        ("[1, 2", "not JSON"),
        ('{"devices": []}', "list of cameras"),
        ("PK\x03\x04\0\0", "no text"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_says_so(text, words):
    with pytest.raises(SettingsError, match=words):
        parsed(text)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "list.csv"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES * 100)
    with pytest.raises(SettingsError, match="larger than 8 MiB"):
        read_camera_list(path, node_id=NODE)


@given(st.binary(max_size=300))
def test_no_bytes_can_upset_the_reader(data):
    for start in (b"", b"id,address,lon,lat\n", b'[{"id": "c1", "zones": '):
        try:
            found = parse_camera_list(start + data, where="list", node_id=NODE)
        except SettingsError:
            continue
        assert len(found.entries) + len({fault.row for fault in found.faults}) == found.rows
