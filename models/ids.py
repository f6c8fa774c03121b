"""Identifiers. They are opaque text: never parsed, never ordered by meaning."""

from typing import NewType

CameraId = NewType("CameraId", str)
NodeId = NewType("NodeId", str)
PersonId = NewType("PersonId", str)
DepartmentId = NewType("DepartmentId", str)
CellId = NewType("CellId", str)
IncidentId = NewType("IncidentId", str)
SubcategoryCode = NewType("SubcategoryCode", str)
ObservationKey = NewType("ObservationKey", str)
PictureHash = NewType("PictureHash", str)
"""SHA-256 of a JPEG's bytes, 64 lower-case hex digits."""
