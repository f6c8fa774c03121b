"""RTP packets of a camera to its keyframes: whole access units that can be decoded alone. Pure.

A keyframe is whole when it began with its first slice, no packet is missing in it, and its end was told: by the marker,
or, where a camera never sets it, by the next picture's beginning.
"""

from __future__ import annotations

from ingest.rtsp_description import MAX_PARAMETER_SETS, Encoding, VideoTrack
from ingest.rtsp_packets import MAX_KEYFRAME, Kind, RtpPacket, Unit, Units, rtp_packet, too_large

START = b"\x00\x00\x00\x01"
"""Stands before every NAL unit of a byte stream (ITU-T H.264 and H.265, annex B)."""


class KeyframeFinder:
    """Packets in, keyframes out, as Annex B bytes with their parameter sets. Raises what `Units` raises."""

    def __init__(self, track: VideoTrack, *, what: str) -> None:
        self._track = track
        self._what = what
        self._units = Units(track.encoding, what=what)
        self._parameters = dict.fromkeys(track.parameter_sets)
        self._slices: list[bytes] = []
        self._size = 0
        self._damaged = False
        self._stamp: int | None = None
        self._next: int | None = None

    def put(self, data: bytes) -> bytes | None:
        """The keyframe that is whole with this packet, if one is."""
        packet = rtp_packet(data)
        if packet is None or packet.payload_type != self._track.payload_type:
            return None
        self._follow(packet)
        found = None
        if packet.stamp != self._stamp:
            found = self._finished()
            self._stamp = packet.stamp
            self._units.lose()
        last = Kind.OTHER
        for unit in self._units.put(packet.payload):
            if unit is None:
                self._damaged = True
                continue
            if unit.first and self._slices:
                found = self._finished() or found
            self._take(unit)
            last = unit.kind
        # Some cameras set the marker on parameter sets too, which end no picture.
        if packet.marker and last is not Kind.PARAMETERS and not self._units.open:
            found = self._finished() or found
        return found

    def _follow(self, packet: RtpPacket) -> None:
        if self._next is not None and packet.sequence != self._next:
            self._units.lose()
            self._damaged = True
        self._next = packet.sequence + 1 & 0xFFFF

    def _take(self, unit: Unit) -> None:
        if unit.kind is Kind.PARAMETERS:
            self._learn(unit.data)
        elif unit.kind is Kind.KEY:
            if not self._slices and not unit.first:
                self._damaged = True  # joined in the middle of it
            self._slices.append(unit.data)
            self._size += len(unit.data)
            if self._size > MAX_KEYFRAME:
                raise too_large(self._what)

    def _learn(self, parameters: bytes) -> None:
        """The newest last: it takes the place of an older one with its number."""
        self._parameters.pop(parameters, None)
        self._parameters[parameters] = None
        if len(self._parameters) > MAX_PARAMETER_SETS:
            del self._parameters[next(iter(self._parameters))]

    def _finished(self) -> bytes | None:
        """What there is of the present picture, if it is a whole keyframe; then begins the next."""
        whole = bool(self._slices) and not self._damaged and not self._units.open and self._is_described()
        found = START + START.join([*self._parameters, *self._slices]) if whole else None
        self._slices, self._size, self._damaged = [], 0, False
        return found

    def _is_described(self) -> bool:
        """Without a sequence parameter set nothing can be decoded."""
        if self._track.encoding is Encoding.H264:
            return any(unit[0] & 31 == 7 for unit in self._parameters)
        return any(unit[0] >> 1 & 63 == 33 for unit in self._parameters)
