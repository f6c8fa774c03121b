"""RTP packets to NAL units: H.264 by RFC 6184, H.265 by RFC 7798. Pure.

Only what a keyframe is made of is kept; the pieces of other pictures are stepped over without being put together.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from ingest.rtsp_description import MAX_PARAMETER_SET, Encoding
from ingest.rtsp_message import NotSpokenError
from models.errors import SourceError
from models.places import Trouble

MAX_KEYFRAME = 8 * 1024 * 1024
"""Bytes: a 4K keyframe at the highest quality has 2 MB."""


class RtpPacket(NamedTuple):
    """marker: ends an access unit; stamp: the same for all packets of one (RFC 3550 §5.1)."""

    marker: bool
    payload_type: int
    sequence: int
    stamp: int
    payload: bytes


class Kind(Enum):
    """What a NAL unit is to us. KEY: a slice of a picture that needs no other; PICTURE: any other slice."""

    PARAMETERS = 1
    KEY = 2
    PICTURE = 3
    OTHER = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """data: empty unless parameters or key. first: the slice begins its picture."""

    kind: Kind
    data: bytes = b""
    first: bool = False


def rtp_packet(data: bytes) -> RtpPacket | None:
    """None for what is no whole RTP packet of version 2."""
    if len(data) < 12 or data[0] >> 6 != 2:
        return None
    flags, second, sequence, stamp = struct.unpack_from(">BBHI", data)
    begin = 12 + 4 * (flags & 15)
    if flags & 0x10:
        if len(data) < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = len(data) - (data[-1] if flags & 0x20 else 0)
    if begin >= end:
        return None
    return RtpPacket(second > 127, second & 127, sequence, stamp, data[begin:end])


class Units:
    """Puts the payloads of one stream together. Raises NotSpokenError for packings no camera uses, SourceError
    (not_a_picture) naming `what` for units too large to be a picture.
    """

    def __init__(self, encoding: Encoding, *, what: str) -> None:
        self._encoding = encoding
        self._what = what
        self._pieces: bytearray | None = None
        self._skipping = False

    @property
    def open(self) -> bool:
        """Whether a unit has begun whose end has not come."""
        return self._pieces is not None or self._skipping

    def lose(self) -> None:
        """A packet is missing: what is open will never be whole."""
        self._pieces, self._skipping = None, False

    def put(self, payload: bytes) -> Iterator[Unit | None]:
        """The units that are whole with this payload, in order; None where one is damaged."""
        return self._put_h264(payload) if self._encoding is Encoding.H264 else self._put_h265(payload)

    def _put_h264(self, payload: bytes) -> Iterator[Unit | None]:
        kind = payload[0] & 31
        if kind == 28:
            if len(payload) < 3:
                yield None
                return
            yield from self._piece(payload[1], bytes((payload[0] & 0xE0 | payload[1] & 31,)), payload[2:])
        elif kind == 24:
            yield from self._several(payload, 1)
        elif kind in (25, 26, 27, 29):
            raise NotSpokenError(f"{self._what} packs its video out of order (RTP payload kind {kind}).")
        else:
            yield _h264_unit(payload)

    def _put_h265(self, payload: bytes) -> Iterator[Unit | None]:
        kind = payload[0] >> 1 & 63
        if len(payload) < 3:
            yield None
        elif kind == 49:
            whole = bytes((payload[0] & 0x81 | (payload[2] & 63) << 1, payload[1]))
            yield from self._piece(payload[2], whole, payload[3:])
        elif kind == 48:
            yield from self._several(payload, 2)
        elif kind == 50:
            raise NotSpokenError(f"{self._what} packs its video in a way that is not read here (PACI).")
        else:
            yield _h265_unit(payload)

    def _several(self, payload: bytes, at: int) -> Iterator[Unit | None]:
        """Units one after the other, each behind its length (STAP-A, AP)."""
        while at + 2 <= len(payload):
            length = int.from_bytes(payload[at : at + 2], "big")
            unit = payload[at + 2 : at + 2 + length]
            at += 2 + length
            yield self._unit(unit) if len(unit) == length and length else None

    def _piece(self, flags: int, header: bytes, piece: bytes) -> Iterator[Unit | None]:
        """One fragment (FU-A, FU); flags: 0x80 the first, 0x40 the last; header: that of the whole unit."""
        if flags & 0x80:
            started = self._unit(header + piece[:1])
            self._skipping = started.kind in (Kind.PICTURE, Kind.OTHER)
            self._pieces = None if self._skipping else bytearray(header)
        if self._pieces is not None:
            self._pieces += piece
            if len(self._pieces) > MAX_KEYFRAME:
                raise too_large(self._what)
        elif not self._skipping:
            yield None  # the middle of a unit whose beginning was not seen
            return
        if flags & 0x40:
            whole = bytes(self._pieces or header + piece[:1])
            self.lose()
            yield self._unit(whole)

    def _unit(self, data: bytes) -> Unit:
        return _h264_unit(data) if self._encoding is Encoding.H264 else _h265_unit(data)


def too_large(what: str) -> SourceError:
    return SourceError(
        f"{what} sends a keyframe of more than {MAX_KEYFRAME // 2**20} MB; use its sub-stream.",
        reason=Trouble.NOT_A_PICTURE,
    )


def _h264_unit(data: bytes) -> Unit:
    """Table 7-1 of ITU-T H.264; a slice that begins its picture has first_mb_in_slice 0, a single 1 bit."""
    kind = data[0] & 31
    if kind in (7, 8):
        return _parameters(data)
    if kind == 5:
        return Unit(Kind.KEY, data, first=len(data) > 1 and data[1] > 127)
    return Unit(Kind.PICTURE if 1 <= kind <= 4 else Kind.OTHER)


def _h265_unit(data: bytes) -> Unit:
    """Table 7-1 of ITU-T H.265: BLA, IDR and CRA can be decoded alone; first_slice_segment_in_pic_flag comes first."""
    kind = data[0] >> 1 & 63
    if 32 <= kind <= 34:
        return _parameters(data)
    if 16 <= kind <= 21:
        return Unit(Kind.KEY, data, first=len(data) > 2 and data[2] > 127)
    return Unit(Kind.PICTURE if kind < 32 else Kind.OTHER)


def _parameters(data: bytes) -> Unit:
    return Unit(Kind.PARAMETERS, data) if len(data) <= MAX_PARAMETER_SET else Unit(Kind.OTHER)
