"""The cameras of one box as its operator keeps them: in the record, addresses sealed, with what the record cannot say.

Beside the record lies a small file of notes: which cameras are paused, and which were added by hand and so stay when
the district file does not name them. Commands and the running box share both; `revision` changes with every change.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dispatch.places import list_cameras, put_camera, remove_camera
from dispatch.store.revision import directory_changed, directory_revision
from dispatch.store.store import Store, StoreSession
from gridwarden.data_folder import write_private
from ingest.seal import add_key, drop_old_keys, open_seal
from models.errors import DataFolderError, NotFoundError
from models.ids import CameraId
from models.places import Camera


@dataclass(frozen=True, slots=True)
class KeptCamera:
    """camera: with its address in clear; paused: not looked at; own: added by hand, stays without the file.

    fault: why the address cannot be decrypted; it is empty then, so that the camera shows as offline.
    """

    camera: Camera
    paused: bool
    own: bool
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Notes:
    paused: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


class CameraBook:
    """Thread-safe, and safe beside other processes that use the same data folder."""

    def __init__(self, store: Store, *, keys: Path, notes: Path) -> None:
        """Raises DataFolderError when the key file cannot be used."""
        self._store = store
        self._keys = keys
        self._notes = notes
        self._seal = open_seal(keys)

    def all(self) -> list[KeptCamera]:
        """In the order of their ids."""
        with self._store.reading() as session:
            cameras = list_cameras(session)
        notes = self._read_notes()
        return [self._kept(camera, notes) for camera in cameras]

    def watched(self) -> list[Camera]:
        """Those to be looked at now."""
        return [kept.camera for kept in self.all() if not kept.paused]

    def get(self, camera_id: str) -> KeptCamera:
        """Raises NotFoundError."""
        for kept in self.all():
            if kept.camera.camera_id == camera_id:
                return kept
        raise NotFoundError(f"There is no camera {camera_id}; `gridwarden cameras list` names those there are.")

    def put(self, cameras: Sequence[Camera]) -> None:
        """Adds or changes cameras by hand: all of them or, on an error, none."""
        with self._changing() as (session, notes):
            known = {camera.camera_id for camera in list_cameras(session)}
            for camera in cameras:
                put_camera(session, self._seal.sealed(camera))
            new = {camera.camera_id for camera in cameras} - known
            self._write_notes(replace(notes, own=notes.own | new))

    def remove(self, camera_ids: Iterable[str]) -> None:
        """Their incidents and pictures stay. Raises NotFoundError, and then none is removed."""
        gone = set(camera_ids)
        with self._changing() as (session, notes):
            _check_known(session, gone)
            for camera_id in sorted(gone):
                remove_camera(session, camera_id)
            self._write_notes(Notes(paused=notes.paused - gone, own=notes.own - gone))

    def pause(self, camera_ids: Iterable[str], *, paused: bool) -> None:
        """Stops looking at them, or begins again. Raises NotFoundError, and then nothing is changed."""
        chosen = set(camera_ids)
        with self._changing() as (session, notes):
            _check_known(session, chosen)
            directory_changed(session)
            self._write_notes(replace(notes, paused=notes.paused | chosen if paused else notes.paused - chosen))

    def follow_file(self, session: StoreSession, cameras: Sequence[Camera]) -> None:
        """The cameras of the district file as they now are there; those added by hand stay.

        In the caller's transaction. Rows an older version stored in plain are sealed on the way.
        """
        wanted = {camera.camera_id: camera for camera in cameras}
        own = self._read_notes().own
        for present in list_cameras(session):
            if present.camera_id not in wanted and present.camera_id not in own:
                remove_camera(session, present.camera_id)
                continue
            camera = wanted.pop(present.camera_id, None) or self._kept(present, Notes()).camera
            if camera.source and not (self._seal.is_current(present) and self._seal.opened(present) == camera):
                put_camera(session, self._seal.sealed(camera))
        for camera in wanted.values():
            put_camera(session, self._seal.sealed(camera))

    def turn_key(self) -> int:
        """Seals everything anew with a new key, then forgets the old ones; the number of addresses sealed.

        Cut off at any point, every address still opens: the old key goes last.
        """
        self._seal = add_key(self._keys)
        with self._changing() as (session, _):
            stale = [camera for camera in list_cameras(session) if not self._seal.is_current(camera)]
            for camera in stale:
                put_camera(session, self._seal.sealed(self._opened(camera)))
        self._seal = drop_old_keys(self._keys)
        return len(stale)

    def revision(self) -> str:
        """Changes whenever cameras (or people, cells, roster) change."""
        with self._store.reading() as session:
            return directory_revision(session.core)

    def _kept(self, camera: Camera, notes: Notes) -> KeptCamera:
        try:
            opened, fault = self._opened(camera), ""
        except DataFolderError as error:
            opened, fault = replace(camera, source=""), str(error)
        known = camera.camera_id
        return KeptCamera(opened, paused=known in notes.paused, own=known in notes.own, fault=fault)

    def _opened(self, camera: Camera) -> Camera:
        """With the present keys: another process may have turned them since they were read."""
        if self._seal.is_current(camera):
            return self._seal.opened(camera)
        self._seal = open_seal(self._keys)
        return self._seal.opened(camera)

    @contextmanager
    def _changing(self) -> Iterator[tuple[StoreSession, Notes]]:
        """One change at a time, the notes inside the record's transaction: a failed commit of the notes rolls back."""
        lock = os.open(self._notes.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self._store.transaction() as session:
                yield session, self._read_notes()
        finally:
            os.close(lock)

    def _read_notes(self) -> Notes:
        try:
            text = json.loads(self._notes.read_bytes())
            return Notes(paused=frozenset(text["paused"]), own=frozenset(text["own"]))
        except FileNotFoundError:
            return Notes()
        except (OSError, ValueError, KeyError, TypeError):
            # Taken for empty, it would remove every camera added by hand at the next start.
            raise DataFolderError(
                f"The notes on cameras {self._notes} are damaged; restore the file from the backup, or delete it "
                "(no camera is paused then, and only those of the district file stay)."
            ) from None

    def _write_notes(self, notes: Notes) -> None:
        text = {"paused": sorted(notes.paused), "own": sorted(notes.own)}
        write_private(self._notes, json.dumps(text, ensure_ascii=False, indent=1).encode())


def _check_known(session: StoreSession, camera_ids: set[str]) -> None:
    known: set[CameraId] = {camera.camera_id for camera in list_cameras(session)}
    if unknown := sorted(camera_ids - known):
        raise NotFoundError(
            f"There is no camera {', '.join(unknown[:5])}; `gridwarden cameras list` names those there are."
        )
