"""What every Detector promises: the recorded twin, the shipped weights, other people's forms and ultralytics."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from detect.backends.opening import open_detector
from detect.backends.openvino import OpenVinoDetector
from detect.detector import Detector
from detect.testing import RecordedDetector
from detect.weights import shipped_weights
from models.pictures import Detections, Image
from tests.detect.tiny_models import end_to_end_output, export_folder, write_onnx, yolo_output

START_WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "weights" / "yolo11n-coco.pt"
SIZES = ((48, 64), (200, 300), (720, 1280), (333, 500), (1, 1), (3, 900), (900, 3))


def recorded() -> RecordedDetector:
    names = ("person", "garbage")
    boxes = np.array([[0.1, 0.1, 0.4, 0.9], [0.5, 0.5, 1.0, 1.0]], np.float32)
    seen = Detections(boxes, np.array([0.9, 0.6], np.float32), np.array([0, 1], np.int32), names)
    return RecordedDetector(names, [seen])


def ultralytics() -> Detector:
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed (extra `ultralytics`)")
    if not START_WEIGHTS.is_file():
        pytest.skip("no .pt to try: ../shared/data/weights is absent")
    from detect.backends.ultralytics import UltralyticsDetector

    return UltralyticsDetector(START_WEIGHTS, least_score=0.05)


def onnx_file(folder: Path) -> Detector:
    path = write_onnx(folder / "m.onnx", *yolo_output(3, row=2), metadata={"names": "['a', 'b', 'litter']"})
    (folder / "classes.toml").write_text('litter = "garbage"')
    return open_detector(path, least_score=0.05)


def export(folder: Path) -> Detector:
    return open_detector(export_folder(folder, *yolo_output(2), names="[a, b]"), least_score=0.05)


def end_to_end(folder: Path) -> Detector:
    return open_detector(export_folder(folder, *end_to_end_output(), names="[a, b]"), least_score=0.05)


@pytest.fixture(scope="module", params=["recorded", "openvino", "onnx", "export", "end to end", "ultralytics"])
def detector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detector]:
    makers: dict[str, Callable[[Path], Detector]] = {
        "recorded": lambda _: recorded(),
        "openvino": lambda _: OpenVinoDetector(shipped_weights(), least_score=0.05),
        "onnx": onnx_file,
        "export": export,
        "end to end": end_to_end,
        "ultralytics": lambda _: ultralytics(),
    }
    made = makers[request.param](tmp_path_factory.mktemp("weights"))
    yield made
    made.close()


def noise(height: int, width: int) -> Image:
    """Coarse noise: busy enough that a low threshold finds something in it."""
    random = np.random.default_rng(height * 10_000 + width)
    coarse = random.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(8, 0).repeat(8, 1)[:height, :width])


def test_an_empty_batch_gives_an_empty_list(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_each_picture_of_a_mixed_batch_gets_its_own_sound_detections(detector: Detector) -> None:
    found = detector.detect([noise(*size) for size in SIZES])
    assert len(found) == len(SIZES)
    for one in found:
        assert one.names == detector.names
        assert one.boxes.dtype == np.float32
        assert one.boxes.shape == (len(one), 4)
        assert one.scores.dtype == np.float32
        assert one.class_ids.dtype == np.int32
        assert np.isfinite(one.scores).all()
        assert ((one.scores > 0) & (one.scores <= 1)).all()
        assert ((one.boxes >= 0) & (one.boxes <= 1)).all()
        assert (one.boxes[:, :2] < one.boxes[:, 2:]).all()
        assert ((one.class_ids >= 0) & (one.class_ids < len(detector.names))).all()
        assert len(list(one)) == len(one)


def test_names_are_there_and_none_twice(detector: Detector) -> None:
    assert detector.names
    assert len(set(detector.names)) == len(detector.names)


def test_the_same_picture_is_seen_the_same_twice(detector: Detector) -> None:
    first, second = detector.detect([noise(360, 640), noise(360, 640)])
    np.testing.assert_allclose(first.boxes, second.boxes, atol=1e-5)
    np.testing.assert_array_equal(first.class_ids, second.class_ids)


def test_many_threads_see_what_one_sees(detector: Detector) -> None:
    pictures = [noise(240 + 20 * number, 320) for number in range(4)]
    alone = [detector.detect([picture])[0] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: detector.detect(pictures), range(4)))
    for found in together:
        for one, expected in zip(found, alone, strict=True):
            np.testing.assert_allclose(one.boxes, expected.boxes, atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_an_array_that_is_no_picture_is_refused_and_the_detector_goes_on(detector: Detector, wrong: Image) -> None:
    with pytest.raises(ValueError, match="picture"):
        detector.detect([noise(48, 64), wrong])
    assert len(detector.detect([noise(48, 64)] * 5)) == 5


def test_a_closed_detector_says_so() -> None:
    for closed in (recorded(), OpenVinoDetector(shipped_weights())):
        closed.close()
        with pytest.raises(ValueError, match="closed"):
            closed.detect([noise(8, 8)])
