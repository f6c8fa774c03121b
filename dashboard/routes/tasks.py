"""The worker's phone: what is owed, and how to hear of more."""

from __future__ import annotations

import secrets
from datetime import timedelta

from fastapi import APIRouter, Request

from dashboard.errors import ApiError
from dashboard.headers import broker_url
from dashboard.schemas.incidents import TasksOut
from dashboard.schemas.session import MqttOut
from dashboard.sessions import Book, OpenParts, Worker
from dashboard.views.incidents import IncidentViews
from dispatch import queries
from dispatch.broker_access import AccessRevokedError, worker_identity
from models import wire

router = APIRouter(tags=["tasks"])

# As long as a shift: the page asks again when it reconnects, and a lost phone's password dies by itself.
_MQTT_PASSWORD_LIFE = timedelta(hours=13)


@router.get("/api/tasks")
def get_tasks(parts: OpenParts, book: Book, viewer: Worker) -> TasksOut:
    """Everything this person owes, however long the phone was off. Read with one consistent `seq`."""
    with parts.store.reading() as session:
        seq = queries.last_seq(session)
        owed = queries.owed(session, viewer.person.person_id)
    views = IncidentViews(book.names(), parts.taxonomy, parts.clock.now())
    return TasksOut(seq=seq, tasks=[views.incident(incident, viewer=viewer) for incident in owed])


@router.get("/api/mqtt")
def get_mqtt(request: Request, parts: OpenParts, viewer: Worker) -> MqttOut:
    """The broker's address and a password of limited life for this person's own topics. 503 `no_mqtt` without one.

    403 `access_revoked` when an operator ended this person's access.
    """
    if parts.mqtt_ws_url is None:
        raise ApiError(503, "no_mqtt")
    person_id = viewer.person.person_id
    identity = worker_identity(person_id)
    expires_at = parts.clock.now() + _MQTT_PASSWORD_LIFE
    try:
        password = parts.broker_access.issue(identity, expires_at=expires_at)
    except AccessRevokedError as error:
        raise ApiError(403, "access_revoked") from error
    return MqttOut(
        ws_url=broker_url(parts.mqtt_ws_url, request.scope),
        username=identity,
        password=password,
        # One for each page: a broker ends the older of two connections with the same id, and two tabs would fight.
        client_id=f"worker-{person_id}-{secrets.token_hex(6)}",
        tasks_topic=wire.tasks_topic(person_id),
        replies_topic=wire.replies_topic(person_id),
        answers_topic=wire.answers_topic(person_id),
        expires_at=expires_at,
    )
