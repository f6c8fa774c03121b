"""The seam between pictures and what is seen in them."""

from typing import Protocol

from models.pictures import Detections, Image


class Detector(Protocol):
    """Sees things in pictures. Thread-safe and warm once constructed.

    names: class names in id order, from the weights' manifest.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    def detect(self, batch: list[Image]) -> list[Detections]:
        """One Detections per picture, in order; an empty batch gives an empty list.

        Boxes lie within the picture (0..1, x1 < x2, y1 < y2); scores are finite. Pictures may differ in size.
        """
        ...

    def close(self) -> None:
        """Releases the model; calling `detect` afterwards is an error."""
        ...
