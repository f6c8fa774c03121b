import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import MAX_SIDE, decode_picture, encode_jpeg
from ingest.picture_header import read_header
from models.errors import SourceError


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    end = b"\x00\x00\x00\x00IEND\xaeB`\x82"
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + end


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_a_picture_of_each_kind_is_decoded_whatever_it_is_named(picture, suffix):
    data = cv2.imencode(suffix, picture(width=320, height=240))[1].tobytes()
    header = read_header(data)
    assert header is not None
    assert (header.width, header.height, header.whole) == (320, 240, True)
    assert decode_picture(data, what="cam").shape == (240, 320, 3)


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3840, 2160), (2592, 1944), (1080, 4000)])
def test_a_large_picture_comes_out_bounded_and_in_proportion(jpeg, width, height):
    image = decode_picture(jpeg(width=width, height=height), what="cam")
    assert max(image.shape[:2]) == MAX_SIDE
    assert image.shape[1] / image.shape[0] == pytest.approx(width / height, rel=0.01)


def test_a_bomb_is_refused_by_its_header_alone():
    with pytest.raises(SourceError, match="20000×20000") as raised:
        decode_picture(png_claiming(20_000, 20_000), what="cam")
    assert raised.value.reason == "not_a_picture"


def test_a_jpeg_bomb_is_refused_by_its_header_alone(jpeg):
    data = bytearray(jpeg())
    frame = data.find(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 20_000, 20_000)
    with pytest.raises(SourceError, match="20000×20000"):
        decode_picture(bytes(data), what="cam")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_jpeg_says_that_it_is_cut_off(jpeg, share):
    data = jpeg()
    with pytest.raises(SourceError, match="cut off"):
        decode_picture(data[: max(int(len(data) * share), 700)], what="cam")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing"),
        (b"  <!DOCTYPE html><html>", "a web page"),
        (b'{"error": 1}', "a JSON text"),
        (b"\x00" * 100, "something else"),
        (b"\xff\xd8\xff", "something else"),
    ],
)
def test_what_is_no_picture_is_said_in_words(data, words):
    with pytest.raises(SourceError, match=words) as raised:
        decode_picture(data, what="cam")
    assert raised.value.reason == "not_a_picture"


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBPVP8X", b"BM"])
)
def test_no_bytes_can_upset_the_header_reader(data, start):
    read_header(start + data)


@given(st.data())
def test_damaged_pictures_are_decoded_or_refused_never_worse(data):
    whole = bytearray(encode_jpeg(np.full((64, 64, 3), 90, np.uint8)))
    for _ in range(5):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    reason = ""
    try:
        decode_picture(bytes(whole), what="cam")
    except SourceError as error:
        reason = error.reason
    assert reason in ("", "not_a_picture")


def test_encoding_refuses_what_is_no_picture():
    with pytest.raises(ValueError, match="uint8"):
        encode_jpeg(np.zeros((4, 4), np.uint8))
