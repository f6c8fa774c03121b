"""A camera's description of its streams (SDP, RFC 8866) to the one track a look needs. Pure."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ingest.rtsp_message import NotSpokenError, checked_target
from models.errors import SourceError
from models.places import Trouble

MAX_PARAMETER_SETS = 16
"""Kept of one stream: three to five are usual."""

MAX_PARAMETER_SET = 4096
"""Bytes of one: 10 to 100 are usual, a VPS with timing 200."""

MAX_LINES = 2000
"""Of a description: 15 to 60 are usual."""

_FORMAT = re.compile(r"(\d{1,3})\s+(.*)")


class Encoding(StrEnum):
    """What FFmpeg calls them."""

    H264 = "h264"
    H265 = "hevc"


_ENCODINGS = {"H264": Encoding.H264, "H265": Encoding.H265, "HEVC": Encoding.H265}


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """control, session: what SETUP and PLAY name, as the camera wrote it; parameter_sets: NAL units told beforehand."""

    encoding: Encoding
    payload_type: int
    control: str = ""
    session: str = ""
    parameter_sets: tuple[bytes, ...] = ()


def video_track(description: bytes, *, what: str) -> VideoTrack:
    """The first H.264 or H.265 track. Raises SourceError (not_a_picture) when there is no video, NotSpokenError when
    there is one in another encoding or packing.
    """
    lines = description.decode("utf-8", "replace").splitlines()[:MAX_LINES]
    sections = list(_sections(lines))
    videos = [section for section in sections[1:] if section[0].lower().startswith("m=video")]
    if not videos:
        raise SourceError(f"{what} carries no video.", reason=Trouble.NOT_A_PICTURE)
    session = _attribute(sections[0], "control")
    for section in videos:
        found = _track(section, session=session, what=what)
        if found is not None:
            return found
    raise NotSpokenError(f"{what} offers no H.264 or H.265 over plain RTP: {videos[0][0][:80]}")


def whole_target(base: str, control: str, *, what: str) -> str:
    """The address to ask for a track, as FFmpeg and live555 build it, which is what cameras are tried with: appended
    to the base, a query included, not resolved like a link.
    """
    if not control or control == "*":
        return checked_target(base, what=what)
    if control.lower().startswith("rtsp://"):
        return checked_target(control, what=what)
    return checked_target(f"{base.rstrip('/')}/{control.lstrip('/')}", what=what)


def _sections(lines: Sequence[str]) -> Iterator[list[str]]:
    """What stands before the first m= line, then each from its m= line on."""
    section: list[str] = []
    for line in lines:
        if line.lower().startswith("m="):
            yield section
            section = []
        section.append(line.strip())
    yield section


def _track(section: Sequence[str], *, session: str, what: str) -> VideoTrack | None:
    parts = section[0].split()
    if len(parts) < 4 or not parts[2].upper().startswith("RTP/AVP"):
        return None
    for offered in parts[3:]:
        encoding = _encoding(section, offered)
        if encoding is None:
            continue
        settings = _settings(section, offered)
        _check_packing(settings, what=what)
        return VideoTrack(
            encoding, int(offered), _attribute(section, "control"), session, tuple(_parameter_sets(settings))
        )
    return None


def _encoding(section: Sequence[str], offered: str) -> Encoding | None:
    for line in section:
        if line.lower().startswith("a=rtpmap:") and (mapped := _FORMAT.match(line[9:].strip())) is not None:
            name = mapped[2].partition("/")[0].strip().upper()
            if mapped[1] == offered and int(offered) < 128:
                return _ENCODINGS.get(name)
    return None


def _settings(section: Sequence[str], offered: str) -> dict[str, str]:
    for line in section:
        if line.lower().startswith("a=fmtp:") and (given := _FORMAT.match(line[7:].strip())) is not None:
            if given[1] != offered:
                continue
            pairs = (part.partition("=") for part in given[2].split(";"))
            return {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {}


def _check_packing(settings: dict[str, str], *, what: str) -> None:
    """Units sent out of their order carry numbers to sort them by; no camera does, so nobody here does either."""
    numbered = any(
        settings.get(name, "0") not in ("", "0") for name in ("sprop-max-don-diff", "sprop-depack-buf-nalus")
    )
    if settings.get("packetization-mode") == "2" or numbered:
        raise NotSpokenError(f"{what} sends its video interleaved, out of order.")


def _parameter_sets(settings: dict[str, str]) -> Iterator[bytes]:
    """sprop-parameter-sets of H.264 (RFC 6184 §8.1); sprop-vps, -sps, -pps of H.265 (RFC 7798 §7.1)."""
    names = ("sprop-parameter-sets", "sprop-vps", "sprop-sps", "sprop-pps")
    written = ",".join(settings[name] for name in names if name in settings).split(",")
    for text in written[:MAX_PARAMETER_SETS]:
        try:
            unit = b64decode(text.strip())
        except (binascii.Error, ValueError):
            continue
        if 2 <= len(unit) <= MAX_PARAMETER_SET:
            yield unit


def _attribute(section: Sequence[str], name: str) -> str:
    beginning = f"a={name}:"
    return next((line[len(beginning) :].strip() for line in section if line.lower().startswith(beginning)), "")
