"""Where training samples come from: the sets, drawn by weight, warped and weathered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detect.labels import LabelledPicture, read_dataset
from detect.pixels import read_picture
from detect.training.augment import Sample, mirrored, mosaic, warped, weathered
from detect.training.classes import ALSO_ABSENT, DRAWS
from detect.training.flames import Flame, flames_of, pasted
from detect.training.rendered import burning, lit
from models.errors import DatasetError
from models.pictures import Image

MOSAIC_SHARE = 0.35
SINGLE_SCALES, MOSAIC_SCALES = (0.6, 1.5), (0.95, 1.8)  # a letterboxed look fills one side: near 1 is the usual case
FLAME_SHARE = 0.06  # of pictures in which fire is known to be absent; with them a tenth of all samples show fire
QUIET_FLAME_SHARE = 0.25  # fixed-camera street frames are the place where a flame will have to be seen
RENDERED_SHARE, QUIET_RENDERED_SHARE = 0.06, 0.35  # the same for drawn flames and smoke, of which no two are alike
LAMP_SHARE = 0.12  # of pictures in which fire counts: what a flame is not

# Frames of these clips are looked at when the network is judged; they are never trained on.
HELD_OUT_CLIPS = ("people-yas-sim.mp4", "road-overhead-intel-car.mp4", "fire-furg-house6.mp4")
QUIET_FRAMES_PER_CLIP = 40


class SampleSource:
    """Samples by number: the same seed and number give the same sample, so a resumed run goes on as it was."""

    def __init__(self, data: Path, *, seed: int = 0) -> None:
        dataset = read_dataset(data, split="train")
        self.names, self.problems, self.seed = dataset.names, list(dataset.problems), seed
        self._sets: dict[str, list[LabelledPicture]] = {}
        for picture in dataset.pictures:
            self._sets.setdefault(picture.set_name, []).append(picture)
        self._quiet = quiet_frames(data / "clips")
        self._fire = dataset.names.index("fire") if "fire" in dataset.names else -1
        self._smoke = dataset.names.index("smoke") if "smoke" in dataset.names else -1
        self._flames: list[Flame] = flames_of(self._sets.get("fire", []), self._fire)
        self._draws = self._weights()
        self.counted = {name: self._counted(name) for name in self._draws}

    def _weights(self) -> dict[str, float]:
        sizes = {name: float(len(pictures)) for name, pictures in self._sets.items()}
        if self._quiet:
            sizes["quiet"] = len(self._quiet)
        return {name: size * DRAWS.get(name, 1.0) for name, size in sizes.items()}

    def _counted(self, set_name: str) -> NDArray[np.float32]:
        """float32 (classes,): 1 where a picture of the set speaks about the class."""
        counted = np.zeros(len(self.names), np.float32)
        pictures = self._sets.get(set_name)
        counted[sorted(pictures[0].marked) if pictures else []] = 1
        counted[[self.names.index(name) for name in ALSO_ABSENT.get(set_name, ()) if name in self.names]] = 1
        return counted

    @property
    def per_epoch(self) -> int:
        return int(sum(self._draws.values()))

    def sample(self, number: int, *, side: int) -> tuple[Sample, NDArray[np.float32]]:
        """Sample `number` on a square of `side`, and which classes count in it."""
        random = np.random.default_rng([self.seed, number])
        names, weights = list(self._draws), np.array(list(self._draws.values()))
        set_name = names[int(random.choice(len(names), p=weights / weights.sum()))]
        sample = self._composed(set_name, side, random)
        if self.fire_known and self.counted[set_name][self._fire]:
            sample = self._fiery(sample, set_name, random)
        if random.random() < 0.5:
            sample = mirrored(sample)
        image = weathered(sample.image, random=random)
        return Sample(image, sample.boxes, sample.class_ids), self.counted[set_name]

    @property
    def fire_known(self) -> bool:
        return min(self._fire, self._smoke) >= 0

    def _fiery(self, sample: Sample, set_name: str, random: np.random.Generator) -> Sample:
        """Now and then with a cut-out flame, drawn flames and smoke, or lamps."""
        quiet = set_name == "quiet"
        chance = random.random()
        cut = (QUIET_FLAME_SHARE if quiet else FLAME_SHARE) if self._flames else 0.0
        drawn = QUIET_RENDERED_SHARE if quiet else RENDERED_SHARE
        if chance < cut:
            flame = self._flames[int(random.integers(len(self._flames)))]
            return pasted(sample, flame, fire=self._fire, random=random)
        if chance < cut + drawn and self.counted[set_name][self._smoke]:
            return burning(sample, fire=self._fire, smoke_class=self._smoke, random=random)
        return lit(sample, random=random) if random.random() < LAMP_SHARE else sample

    def _composed(self, set_name: str, side: int, random: np.random.Generator) -> Sample:
        if set_name == "quiet":
            frame = self._quiet[int(random.integers(len(self._quiet)))]
            return warped(_unlabelled(frame), side=side, scales=SINGLE_SCALES, random=random)
        if random.random() < MOSAIC_SHARE:
            four = [self._plain(set_name, random) for _ in range(4)]
            joined = mosaic(four, side=side, random=random)
            return warped(joined, side=side, scales=MOSAIC_SCALES, random=random)
        return warped(self._plain(set_name, random), side=side, scales=SINGLE_SCALES, random=random)

    def _plain(self, set_name: str, random: np.random.Generator) -> Sample:
        """A picture of the set; one that cannot be read is named once and another is drawn."""
        pictures = self._sets[set_name]
        while pictures:
            index = int(random.integers(len(pictures)))
            picture = pictures[index]
            image = read_picture(picture.path)
            if image is not None:
                scale = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
                return Sample(image, picture.boxes * scale, picture.class_ids)
            self.problems.append(f"{picture.path}: not a picture that can be read; left out")
            pictures.pop(index)
        raise DatasetError(f"set {set_name!r}: none of its pictures can be read")


def _unlabelled(image: Image) -> Sample:
    return Sample(image, np.zeros((0, 4), np.float32), np.zeros(0, np.int32))


def clip_frames(path: Path, *, count: int) -> Iterator[Image]:
    """Up to `count` frames, evenly spread over the clip."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        step = max((stream.frames or count * 10) // count, 1)
        for number, frame in enumerate(container.decode(stream)):
            if number % step == 0 and number // step < count:
                yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def quiet_frames(folder: Path) -> list[Image]:
    """Frames of fixed cameras where nothing burns and nothing lies about: what a false alarm would be made of."""
    clips = [path for path in sorted(folder.glob("*.mp4")) if path.name not in HELD_OUT_CLIPS]
    return [frame for clip in clips for frame in clip_frames(clip, count=QUIET_FRAMES_PER_CLIP)]
