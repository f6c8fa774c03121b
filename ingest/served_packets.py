"""Access units of a film as the RTP packets a camera makes of them (RFC 6184 for H.264, RFC 7798 for H.265)."""

from __future__ import annotations

import itertools
import re
import struct
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from ingest.rtsp_description import Encoding

MAX_PAYLOAD = 1400
"""Bytes of one RTP packet, as cameras send them over Ethernet."""

CLOCK_RATE = 90_000
"""RTP time stamps of video count ninety thousandths of a second (RFC 6184 §5.1)."""

MAX_FRAMES = 20_000
"""Frames held in memory: test clips have a thousand."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit: when it is shown, whether it can be decoded alone, its NAL units without start codes."""

    at_s: float
    key: bool
    units: tuple[bytes, ...]


def read_film(video: Path) -> tuple[Encoding, list[Frame]]:
    """The access units of a file, parameter sets before each keyframe. Raises ValueError when it has none."""
    with av.open(f"file:{video}") as container:
        stream = container.streams.video[0]
        name = stream.codec_context.name
        if name not in ("h264", "hevc"):
            raise ValueError(f"{video} is {name}; only H.264 and H.265 are served")
        to_bytes = BitStreamFilterContext(f"{name}_mp4toannexb", stream)
        frames = [
            Frame(float(packet.pts * packet.time_base), packet.is_keyframe, split_units(bytes(packet)))
            for whole in itertools.islice(container.demux(stream), MAX_FRAMES)
            for packet in to_bytes.filter(whole)
            if packet.pts is not None and packet.time_base is not None and packet.size
        ]
    if not frames or not frames[0].key:
        raise ValueError(f"{video} does not begin with a keyframe")
    return Encoding(name), frames


def read_frames(video: Path) -> list[Frame]:
    return read_film(video)[1]


def split_units(data: bytes) -> tuple[bytes, ...]:
    """NAL units of an Annex B byte stream (ITU-T H.264, B.1), without start codes."""
    return tuple(unit for part in re.split(rb"\x00\x00\x01", data) if (unit := part.rstrip(b"\x00")))


def track_description(encoding: Encoding, units: Sequence[bytes]) -> str:
    """The a=rtpmap and a=fmtp lines of a stream that begins with these units."""
    if encoding is Encoding.H264:
        sets = [unit for unit in units if unit[0] & 31 in (7, 8)]
        profile = sets[0][1:4].hex() if sets else "42001e"
        told = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={_base64(sets)}"
        return f"a=rtpmap:96 H264/{CLOCK_RATE}\r\na=fmtp:96 {told}\r\n"
    names = {32: "vps", 33: "sps", 34: "pps"}
    parts = [
        f"sprop-{name}={_base64([unit for unit in units if unit[0] >> 1 & 63 == kind])}" for kind, name in names.items()
    ]
    return f"a=rtpmap:96 H265/{CLOCK_RATE}\r\na=fmtp:96 {';'.join(parts)}\r\n"


def packets(
    frame: Frame, *, encoding: Encoding, stamp: int, sequence: Iterator[int], together: bool = False
) -> Iterator[bytes]:
    """RTP packets; the marker bit ends the access unit. together: what is short shares a packet (STAP-A, AP)."""
    parts = list(_payloads(frame.units, encoding, together=together))
    for index, payload in enumerate(parts):
        marker = 0x80 if index == len(parts) - 1 else 0
        yield (
            struct.pack(">BBHII", 0x80, 96 | marker, next(sequence) & 0xFFFF, stamp & 0xFFFFFFFF, 0x47574152) + payload
        )


def interleaved(packet: bytes, *, channel: int = 0) -> bytes:
    """As it stands in the RTSP connection (RFC 2326 §10.12)."""
    return struct.pack(">cBH", b"$", channel, len(packet)) + packet


def _payloads(units: Sequence[bytes], encoding: Encoding, *, together: bool) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for unit in units:
        if together and sum(map(len, waiting)) + len(unit) + 2 * len(waiting) + 4 <= MAX_PAYLOAD:
            waiting.append(unit)
            continue
        yield from _shared(waiting, encoding)
        waiting = []
        yield from _split(unit, encoding)
    yield from _shared(waiting, encoding)


def _shared(units: Sequence[bytes], encoding: Encoding) -> Iterator[bytes]:
    """One packet with all of them (RFC 6184 §5.7.1, RFC 7798 §4.4.2); a single one goes alone."""
    if len(units) == 1:
        yield units[0]
    elif units:
        header = b"\x78" if encoding is Encoding.H264 else b"\x60\x01"
        yield header + b"".join(struct.pack(">H", len(unit)) + unit for unit in units)


def _split(unit: bytes, encoding: Encoding) -> Iterator[bytes]:
    """The unit itself, or its fragments (RFC 6184 §5.8, RFC 7798 §4.4.3)."""
    if len(unit) <= MAX_PAYLOAD:
        yield unit
        return
    if encoding is Encoding.H264:
        header, kind, begin = bytes((unit[0] & 0xE0 | 28,)), unit[0] & 0x1F, 1
    else:
        header, kind, begin = bytes((unit[0] & 0x81 | 49 << 1, unit[1])), unit[0] >> 1 & 63, 2
    for at in range(begin, len(unit), MAX_PAYLOAD):
        flags = (0x80 if at == begin else 0) | (0x40 if at + MAX_PAYLOAD >= len(unit) else 0)
        yield header + bytes((flags | kind,)) + unit[at : at + MAX_PAYLOAD]


def _base64(units: Sequence[bytes]) -> str:
    return ",".join(b64encode(unit).decode() for unit in units)
