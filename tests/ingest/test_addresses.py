from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.addresses import FileAddress, NetworkAddress, checked_ip, parse, without_secret
from models.errors import SourceError


def test_a_network_address_gives_its_parts_and_keeps_the_password_out_of_sight():
    address = parse("rtsp://admin:p%40ss%2Fw@10.0.0.7/Streaming/channels/102?transport=tcp")
    assert isinstance(address, NetworkAddress)
    assert (address.host, address.port, address.user, address.password) == ("10.0.0.7", 554, "admin", "p@ss/w")
    assert address.url == "rtsp://10.0.0.7:554/Streaming/channels/102?transport=tcp"
    assert "p@ss" not in repr(address)


@pytest.mark.parametrize(
    "source",
    ["", "   ", "ftp://10.0.0.7/x.jpg", "gopher:x", "javascript:alert(1)", "concat:a|b", "http://", "http:///x",
     "http://host:99999/x", "http://[::1/x", "rtsp://admin:p/ss@10.0.0.7/live", "http://a\x00b/", "h" * 3000],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(source):
    with pytest.raises(SourceError) as raised:
        parse(source)
    assert raised.value.reason == "refused"
    assert "p/ss" not in str(raised.value)


def test_a_plain_path_and_a_file_url_are_files():
    assert parse("clips/street.mp4") == FileAddress(Path("clips/street.mp4"))
    assert parse("file:///srv/a%20b.mp4") == FileAddress(Path("/srv/a b.mp4"))


def test_a_video_may_start_later_and_a_folder_may_turn_faster():
    assert parse("street.mp4#t=12.5") == FileAddress(Path("street.mp4"), start_s=12.5)
    assert parse("pictures#every=3") == FileAddress(Path("pictures"), every_s=3)
    assert parse("odd#name.mp4") == FileAddress(Path("odd#name.mp4"))


def test_a_file_whose_name_looks_like_a_scheme_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("cam:1.mp4").write_bytes(b"x")
    assert parse("cam:1.mp4") == FileAddress(Path("cam:1.mp4"))


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.4", "172.16.0.1", "169.254.3.4", "fe80::1", "fd12::1", "100.64.0.1",
     "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1"],
)  # fmt: skip
def test_places_inside_the_own_network_are_refused_unless_allowed(ip):
    with pytest.raises(SourceError, match="allow private"):
        checked_ip(ip, allow_private=False)


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "192.168.1.4", "fd12::1"])
def test_private_places_are_used_when_allowed(ip):
    assert checked_ip(ip, allow_private=True) == ip


@pytest.mark.parametrize("ip", ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "224.0.0.1", "0.0.0.0"])
def test_machine_metadata_is_refused_even_where_private_places_are_allowed(ip):
    with pytest.raises(SourceError, match="never a camera"):
        checked_ip(ip, allow_private=True)


def test_a_public_place_is_used():
    assert checked_ip("93.184.215.14", allow_private=False) == "93.184.215.14"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:secret@10.0.0.7/live", "rtsp://***@10.0.0.7/live"),
        ("http://10.0.0.7/snap.cgi?user=admin&pwd=secret&ch=2", "http://10.0.0.7/snap.cgi?user=admin&pwd=***&ch=2"),
        ("rtsp://admin:se/cr#et@10.0.0.7/live", "rtsp://***@10.0.0.7/live"),
        ("clips/street.mp4", "clips/street.mp4"),
    ],
)
def test_the_shown_address_has_no_secret(address, shown):
    assert without_secret(address) == shown


@given(st.text(alphabet="abc@:/#?&=%12", min_size=1, max_size=20))
def test_no_password_however_strange_is_shown(password):
    secret = f"S3CR{password}ET"
    assert "S3CR" not in without_secret(f"rtsp://admin:{secret}@10.0.0.7/live")
