"""`gridwarden cameras health`: how the cameras are, what they went through, how full the disk is."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from gridwarden.commands.camera_data import CONDITION_WORDS, DATA, DataOption, camera_book
from gridwarden.console import JsonOption, out, print_json, say
from gridwarden.data_folder import DataFolder
from gridwarden.evidence_upkeep import Storage, read_storage
from ingest.health_events import HealthEvent
from ingest.health_journal import read_journal
from models.clock import SystemClock
from models.places import FLAW_WORDS, CameraCondition, CameraState, Flaw
from models.wire import moment

STALE = timedelta(seconds=30)
"""A running box writes every five seconds; what is older is how it was when the box stopped."""

MOST_EVENTS = 500


def health(
    events: Annotated[int, typer.Option(min=0, max=MOST_EVENTS, help="Also the newest operator events.")] = 0,
    data: DataOption = DATA,
    json: JsonOption = False,
) -> None:
    """Cameras in trouble, with reason and since when; what is well is only counted."""
    folder = DataFolder(data)
    with camera_book(data) as book:
        kept = book.all()
    journal = read_journal(folder.health, events=events)
    storage = read_storage(folder)
    now = SystemClock().now()
    fresh = journal.written_at is not None and now - journal.written_at < STALE
    counts = Counter(state.condition.value for state in journal.states.values())
    counts["paused"] = sum(camera.paused for camera in kept)
    troubled = [state for state in journal.states.values() if _in_trouble(state)]
    if json:
        print_json(
            {
                "as_of": journal.written_at and moment(journal.written_at),
                "running": fresh,
                "cameras": len(kept),
                "conditions": dict(counts),
                "troubled": [_state_line(state) for state in troubled],
                "events": [_event_line(event) for event in journal.events],
                "storage": storage.line(),
            }
        )
        return
    if not fresh:
        at = "never" if journal.written_at is None else f"{journal.written_at.astimezone():%Y-%m-%d %H:%M:%S}"
        say(f"the box is not running; this is how it was: {at}")
    _tell(troubled, journal.events, now=now)
    out.print(", ".join(f"{count} {name}" for name, count in sorted(counts.items()) if count) or "no camera yet")
    _tell_storage(storage)


def _in_trouble(state: CameraState) -> bool:
    return state.condition in (CameraCondition.OFFLINE, CameraCondition.LATE) or bool(state.flaws)


def _tell(troubled: list[CameraState], events: list[HealthEvent], *, now: datetime) -> None:
    if troubled:
        table = Table("camera", "state", "since", "why", box=None, pad_edge=False)
        for state in sorted(troubled, key=lambda state: (state.condition.value, state.camera_id)):
            state_words = CONDITION_WORDS[state.condition]
            if state.flaws:
                state_words = "; ".join(FLAW_WORDS[flaw].zh.partition("，")[0] for flaw in state.flaws)
            table.add_row(state.camera_id, state_words, _since(state.since, now), state.message)
        out.print(table, markup=False)
    if events:
        table = Table("began", "ended", "camera", "what", "why", box=None, pad_edge=False)
        for event in events:
            ended = "" if event.ended_at is None else f"{event.ended_at.astimezone():%m-%d %H:%M}"
            table.add_row(
                f"{event.began_at.astimezone():%m-%d %H:%M}", ended, event.camera_id, event.kind, event.message
            )
        out.print(table, markup=False)


def _tell_storage(storage: Storage) -> None:
    out.print(
        f"storage 存储: {storage.pictures} pictures, {storage.bytes / 2**30:.2f} GiB; "
        f"disk {storage.disk_share:.0%} full, {storage.free_bytes / 2**30:.1f} GiB free"
        + (f"; oldest {storage.oldest_days:.0f} days" if storage.oldest_days is not None else "")
    )


def _since(moment_: datetime, now: datetime) -> str:
    minutes = max(int((now - moment_).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def _state_line(state: CameraState) -> dict[str, Any]:
    return {
        "camera": state.camera_id,
        "condition": state.condition.value,
        "since": moment(state.since),
        "last_look_at": state.last_look_at and moment(state.last_look_at),
        "trouble": state.trouble and state.trouble.value,
        "flaws": [flaw.value for flaw in state.flaws],
        "message": state.message,
    }


def _event_line(event: HealthEvent) -> dict[str, Any]:
    words = FLAW_WORDS[Flaw(event.kind)] if event.kind in tuple(Flaw) else None
    return {
        "camera": event.camera_id,
        "kind": event.kind,
        "reason": event.reason,
        "message": event.message,
        "words": {"zh": words.zh, "en": words.en} if words else None,
        "began_at": moment(event.began_at),
        "ended_at": event.ended_at and moment(event.ended_at),
    }
