"""The node with real parts but its cameras (a fake fleet) and its network (a recorded detector)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from detect.node import WatchNode
from detect.testing import RecordedDetector
from ingest.latest import LatestPictures
from ingest.picture_store import PictureStore
from ingest.testing import FakeFleet
from models.geometry import Box
from models.ids import CameraId, NodeId
from models.pictures import Detections, Image, LookReason
from models.places import Camera, ZoneKind
from models.taxonomy import load_taxonomy
from models.testing import FakeClock
from tests.detect.brokers import NODE, RunningBroker, dispatcher, embedded, eventually, free_port
from tests.detect.scenes import CAR, NAMES, camera, everywhere, seen, street

C1 = CameraId("c1")
PARKING = camera(everywhere(ZoneKind.NO_PARKING), F1={"dwell_s": 20, "looks": 3})


class Corner:
    """One watch node, its fleet and its clock."""

    def __init__(
        self, folder: Path, script: Sequence[Detections], *, broker: RunningBroker | None = None,
        cameras: Sequence[Camera] = (PARKING,),
    ) -> None:  # fmt: skip
        self.clock = FakeClock()
        self.fleet = FakeFleet(clock=self.clock)
        self.latest = LatestPictures()
        self.pictures = PictureStore(folder / "pictures")
        self.detector = RecordedDetector(NAMES, script)
        self.node = WatchNode(
            node_id=NodeId(NODE), cameras=cameras, fleet=self.fleet, detector=self.detector,
            taxonomy=load_taxonomy(), pictures=self.pictures, latest=self.latest,
            broker_url=broker.url if broker else None, password=broker.node_password if broker else None,
            data_dir=folder / "node", clock=self.clock,
        )  # fmt: skip
        self.shown = 0

    async def show(self, image: Image, *, reason: LookReason = LookReason.ROUTINE) -> None:
        """As cameras do: the next look comes when this one has long been handled."""
        self.shown += 1
        self.fleet.put(C1, image, reason=reason)
        await self.handled(self.shown)
        self.clock.advance(seconds=8)

    async def until(self, counter: str, value: float) -> None:
        await eventually(lambda: self.node.counters()[counter] >= value)

    async def handled(self, looks: int) -> None:
        """Waits until so many looks have passed the gate, one way or the other."""
        await eventually(lambda: self.node.counters()["gated"] + self.detector.looks >= looks)


@asynccontextmanager
async def running(corner: Corner) -> AsyncIterator[Corner]:
    task = asyncio.create_task(corner.node.run())
    try:
        yield corner
    finally:
        corner.fleet.end()
        async with asyncio.timeout(10):
            await task


async def test_a_parked_car_goes_from_look_to_spool_with_a_masked_picture(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen(CAR)])) as corner:
        for _ in range(6):
            await corner.show(street())
        await corner.until("observations", 1)
        latest = corner.latest.get(C1)
        assert latest is not None
        assert latest.jpeg.startswith(b"\xff\xd8")
    assert corner.node.counters()["spool"] == 1


async def test_an_unchanged_picture_costs_no_inference_and_still_counts_as_standing(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen(CAR)])) as corner:
        for _ in range(7):
            await corner.show(street())
        await corner.until("observations", 1)
        assert corner.detector.looks == 1
        assert corner.node.counters()["gated"] >= 4


async def test_a_flame_is_looked_at_again_at_once(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen(("fire", 0.8, (0.4, 0.4, 0.5, 0.6)))])) as corner:
        await corner.show(street())
        await eventually(lambda: bool(corner.fleet.promises))
        assert corner.fleet.promises[0].reason is LookReason.FOLLOW_UP
        await corner.show(street(), reason=LookReason.FOLLOW_UP)
        await corner.show(street(), reason=LookReason.FOLLOW_UP)
        await corner.until("observations", 1)


async def test_a_picture_that_breaks_the_detector_costs_only_itself(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen(CAR)])) as corner:
        corner.fleet.put(CameraId("strange"), np.zeros((4, 4, 3), np.float64))
        for _ in range(6):
            await corner.show(street())
        await corner.until("observations", 1)
    assert corner.node.counters()["spool"] == 1


async def test_after_a_restart_nothing_is_told_twice(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen(CAR)])) as corner:
        for _ in range(6):
            await corner.show(street())
        await corner.until("observations", 1)
    later = Corner(tmp_path, [seen(CAR)])
    later.clock.set(corner.clock.now() + timedelta(seconds=8))
    async with running(later):
        for _ in range(10):
            await later.show(street())
        await later.handled(10)
    assert later.node.counters()["observations"] == 0
    assert later.node.counters()["spool"] == 1


async def test_a_request_is_answered_by_looks_and_the_answer_has_a_picture(tmp_path: Path) -> None:
    async with (
        embedded(tmp_path, free_port()) as broker,
        dispatcher(broker) as ear,
        running(Corner(tmp_path, [*[seen(CAR)] * 3, seen()], broker=broker)) as corner,
    ):
        await ear.until(lambda: ear.statuses == [True])
        for brightness in (60, 120, 60):
            await corner.show(street(brightness), reason=LookReason.FOLLOW_UP)
        await corner.show(street(), reason=LookReason.FOLLOW_UP)
        since = corner.clock.now().isoformat()
        ear.ask({
            "v": 1, "type": "verify", "key": "v1", "incident": "i1", "camera": "c1", "subcategory": "F1",
            "box": Box(*CAR[2]).xyxy, "since": since,
        })  # fmt: skip
        await corner.until("verifying", 1)
        await eventually(lambda: bool(any(p.reason is LookReason.VERIFICATION for p in corner.fleet.promises)))
        for _ in range(3):
            await corner.show(street(), reason=LookReason.VERIFICATION)
        await ear.until(lambda: ear.keys().count("v1") == 1)
        (answer,) = [message for message in ear.messages if message["key"] == "v1"]
        assert (answer["type"], answer["verdict"]) == ("verification", "gone")
        assert corner.pictures.get(answer["evidence"][0]["picture"])
        ear.commit(*ear.keys())


async def test_a_suppression_is_applied_and_said_so(tmp_path: Path) -> None:
    async with embedded(tmp_path, free_port()) as broker, dispatcher(broker) as ear:
        async with running(Corner(tmp_path, [seen(CAR)], broker=broker)) as corner:
            await ear.until(lambda: ear.statuses == [True])
            ear.ask({
                "v": 1, "type": "suppress", "key": "s1", "camera": "c1", "subcategory": "F1",
                "box": CAR[2], "until": "2027-01-01T00:00:00Z",
            })  # fmt: skip
            await ear.until(lambda: ear.keys() == ["s1"])
            assert ear.messages[0]["type"] == "applied"
            for _ in range(10):
                await corner.show(street())
            await corner.handled(10)
        assert corner.node.counters()["observations"] == 0


async def test_a_camera_that_stays_as_it_was_is_not_inferred_again_when_others_change(tmp_path: Path) -> None:
    another = replace(PARKING, camera_id=CameraId("c2"), name="c2")
    async with running(Corner(tmp_path, [seen()] * 3)) as corner:
        await corner.show(street())
        corner.node.set_cameras([PARKING, another])
        await corner.show(street())
        assert corner.detector.looks == 1


async def test_a_camera_with_new_zones_is_inferred_again(tmp_path: Path) -> None:
    async with running(Corner(tmp_path, [seen()] * 3)) as corner:
        await corner.show(street())
        corner.node.set_cameras([camera(everywhere(ZoneKind.FIRE_LANE))])
        await corner.show(street())
        assert corner.detector.looks == 2
