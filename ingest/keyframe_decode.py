"""One keyframe to pixels, as many as are asked for. Synchronous: runs in a decoding thread.

Neither H.264 nor H.265 can be decoded at a reduced size; but making BGR of it can wait, and four of five looks show
nothing new and need a small picture only. Of 640 × 360, decoding costs 3.5 ms, the small picture 0.25 ms and all of
it 0.7 ms; of 1920 × 1080 21, 0.7 and 5 ms (one core). The loop filter stays on: without it decoding costs a tenth to a
quarter less, but the pictures are evidence, and blocks on them look like a broken camera.
"""

from __future__ import annotations

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ingest.decode import MAX_PIXELS, MAX_SIDE
from ingest.rtsp_description import Encoding
from ingest.undecoded import SMALL_SIDE
from models.errors import SourceError
from models.pictures import Image
from models.places import Trouble


class DecodedFrame:
    """`Pixels` of a decoded frame, which keeps half the bytes of its BGR picture."""

    __slots__ = ("_frame", "_image", "small")

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame
        self._image: Image | None = None
        self.small = self._scaled(SMALL_SIDE)

    def image(self) -> Image:
        if self._image is None:
            self._image = self._scaled(MAX_SIDE)
        return self._image

    def reduced(self, side: int) -> Image:
        return self.image() if self._image is not None or side >= self._longest else self._scaled(side)

    @property
    def _longest(self) -> int:
        return max(self._frame.width, self._frame.height)

    def _scaled(self, side: int) -> Image:
        """A reformatter of its own each time: the frame's is not made for several threads."""
        scale = min(side / self._longest, 1.0)
        width, height = max(round(self._frame.width * scale), 2), max(round(self._frame.height * scale), 2)
        kind = "AREA" if scale < 1 else "BILINEAR"
        shown = VideoReformatter().reformat(self._frame, width, height, "bgr24", interpolation=kind)
        return np.asarray(shown.to_ndarray(), np.uint8)


def decode_keyframe(data: bytes, *, encoding: Encoding, what: str) -> DecodedFrame:
    """Raises SourceError (not_a_picture) naming `what` when the bytes are no whole keyframe of bounded size."""
    decoder = av.CodecContext.create(str(encoding), "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    # FFmpeg refuses by the parameter sets, before it allocates a picture of 16,384 × 16,384.
    decoder.options = {"max_pixels": str(MAX_PIXELS)}
    try:
        frames = [*decoder.decode(av.Packet(data)), *decoder.decode(None)]
    except (av.FFmpegError, ValueError):
        frames = []
    if not frames or frames[0].is_corrupt:
        raise SourceError(
            f"{what} sends a keyframe that is damaged, or of more than {MAX_PIXELS // 1_000_000} megapixels.",
            reason=Trouble.NOT_A_PICTURE,
        )
    return DecodedFrame(frames[0])
