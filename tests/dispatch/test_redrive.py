import json

import pytest

from dispatch.inbox import Inbox
from dispatch.mqtt import Incoming
from dispatch.places import put_camera
from dispatch.queries import list_incidents
from dispatch.redrive import redrive
from dispatch.refused import discard, refused_messages
from dispatch.store.store import Store
from dispatch.testing import NODE, observation
from models import wire
from models.errors import NotFoundError, PayloadError
from models.ids import CameraId
from models.places import Camera
from models.testing import FakeClock


def told(payload: bytes) -> Incoming:
    return Incoming(wire.observations_topic(NODE), payload, lambda: None)


def test_one_bad_message_of_a_batch_is_kept_aside_and_re_driven_when_mended(store: Store, clock: FakeClock) -> None:
    new = json.dumps(wire.observation_message(observation(clock.now(), camera=CameraId("new")))).encode()
    good = json.dumps(wire.observation_message(observation(clock.now()))).encode()
    outcome = Inbox(store).take([told(new), told(b"not json"), told(b"x" * 100_000), told(good)])
    assert len(outcome.safe) == 4
    with store.reading() as session:
        huge, broken, unknown = refused_messages(session)
        assert len(list_incidents(session)) == 1
    with store.transaction() as session:
        discard(session, broken.refused_id, by="centre", at=clock.now())
    with store.transaction() as session, pytest.raises(PayloadError, match="too large"):
        redrive(session, huge.refused_id, by="centre", now=clock.now())
    with store.transaction() as session, pytest.raises(PayloadError, match="not known here"):
        redrive(session, unknown.refused_id, by="centre", now=clock.now())
    with store.transaction() as session:
        put_camera(session, Camera(CameraId("new"), "新", "file:new.mp4", (120.05, 30.05), NODE))
    with store.transaction() as session:
        redrive(session, unknown.refused_id, by="centre", now=clock.now())
    with store.transaction() as session, pytest.raises(NotFoundError):
        redrive(session, unknown.refused_id, by="centre", now=clock.now())
    with store.reading() as session:
        assert len(list_incidents(session)) == 2
        assert [one.outcome for one in refused_messages(session)] == ["waiting", "discarded", "redriven"]
