"""Grid cells and cameras, as kept."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.sightlines import CameraPlace
from dispatch.store.directory import CameraRow, CellRow
from dispatch.store.revision import directory_changed
from models.geometry import Polygon
from models.ids import CameraId, CellId, NodeId, SubcategoryCode
from models.places import Camera, GridCell, Zone, ZoneKind


def put_cell(session: Session, cell: GridCell) -> None:
    """Adds it or changes it."""
    session.merge(
        CellRow(
            cell_id=cell.cell_id,
            code=cell.code,
            name=cell.name,
            boundary=_corners(cell.boundary),
            parent_id=cell.parent_id,
            holes=[_corners(hole) for hole in cell.holes],
        )
    )
    session.flush()
    directory_changed(session)


def list_cells(session: Session) -> list[GridCell]:
    return [
        GridCell(
            CellId(row.cell_id),
            row.code,
            row.name,
            _polygon(row.boundary),
            parent_id=None if row.parent_id is None else CellId(row.parent_id),
            holes=tuple(_polygon(hole) for hole in row.holes),
        )
        for row in session.scalars(select(CellRow).order_by(CellRow.code, CellRow.cell_id))
    ]


def put_camera(session: Session, camera: Camera) -> None:
    """Adds it or changes it."""
    session.merge(_camera_row(camera))
    session.flush()
    directory_changed(session)


def remove_camera(session: Session, camera_id: str) -> None:
    """Its incidents stay."""
    session.execute(delete(CameraRow).where(CameraRow.camera_id == camera_id))
    directory_changed(session)


def list_cameras(session: Session) -> list[Camera]:
    """With their addresses, which may hold passwords: leave `source` out of whatever is shown."""
    return [_camera(row) for row in session.scalars(select(CameraRow).order_by(CameraRow.camera_id))]


def list_camera_places(session: Session) -> list[CameraPlace]:
    query = select(
        CameraRow.camera_id,
        CameraRow.name,
        CameraRow.longitude,
        CameraRow.latitude,
        CameraRow.node_id,
        CameraRow.bearing_deg,
    )
    return [
        CameraPlace(
            CameraId(row.camera_id), row.name, (row.longitude, row.latitude), NodeId(row.node_id), row.bearing_deg
        )
        for row in session.execute(query.order_by(CameraRow.camera_id))
    ]


def _camera_row(camera: Camera) -> CameraRow:
    return CameraRow(
        camera_id=camera.camera_id,
        name=camera.name,
        source=camera.source,
        longitude=camera.position[0],
        latitude=camera.position[1],
        node_id=camera.node_id,
        zones=[{"name": z.name, "kind": z.kind.value, "polygon": _corners(z.polygon)} for z in camera.zones],
        bearing_deg=camera.bearing_deg,
        max_interval_s=camera.max_interval_s,
        continuous=camera.continuous,
        overrides={code: dict(values) for code, values in camera.overrides.items()},
    )


def _camera(row: CameraRow) -> Camera:
    return Camera(
        camera_id=CameraId(row.camera_id),
        name=row.name,
        source=row.source,
        position=(row.longitude, row.latitude),
        node_id=NodeId(row.node_id),
        zones=tuple(Zone(z["name"], ZoneKind(z["kind"]), _polygon(z["polygon"])) for z in row.zones),
        bearing_deg=row.bearing_deg,
        max_interval_s=row.max_interval_s,
        continuous=row.continuous,
        overrides={SubcategoryCode(code): values for code, values in row.overrides.items()},
    )


def _corners(polygon: Polygon) -> list[list[float]]:
    return [list(corner) for corner in polygon.corners]


def _polygon(corners: list[Any]) -> Polygon:
    return Polygon(tuple((float(x), float(y)) for x, y in corners))
