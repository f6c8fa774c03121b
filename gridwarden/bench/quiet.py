"""Quiet cameras for a day: clips in which nothing is wrong, looped through changing light. Everything told is false."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np

from gridwarden.bench.stage import NOON
from gridwarden.bench.staging import Place, Scene, small_frames
from models.places import Zone, ZoneKind

INTERVAL_S = 10.0
"""A camera's longest interval between two looks."""

FRAMES = 40
"""Different moments of each clip; with the lights below some 200 different pictures a camera."""

LIGHTS = (0.65, 0.8, 0.95, 1.05, 1.2)
"""Brightness under passing clouds, at dusk and dawn; steps, because equal pictures are inferred only once."""

CLOUD_S = 420.0
"""How long one light lasts on average."""

NIGHT_FROM_H, NIGHT_TO_H = 19.0, 6.0
"""Local hours in which the camera is in its grey night mode."""

ZONES: dict[str, tuple[tuple[str, ZoneKind], ...]] = {
    "street": (("pavement", ZoneKind.FOOTWAY), ("strip", ZoneKind.CARRIAGEWAY), ("strip", ZoneKind.NO_PARKING)),
    "walkway": (("green", ZoneKind.GREEN), ("path", ZoneKind.FOOTWAY), ("path", ZoneKind.FIRE_LANE)),
    "avenue": (("road", ZoneKind.CARRIAGEWAY),),
    "overhead": (("road", ZoneKind.CARRIAGEWAY),),
    "trees": (("road", ZoneKind.CARRIAGEWAY),),
    "motorway": (("road", ZoneKind.CARRIAGEWAY),),
}
"""What an operator would draw on each, where nothing in the clip breaks the rule of the zone. No parking ban on roads
full of traffic: a clip of half a minute, looped, shows the same moving car at the same spot again and again, as no road
does; with such a zone on them, 62 parked cars were told in 0.25 camera-days."""


def quiet_days(places: Mapping[str, Place], *, hours: float, seed: int) -> list[Scene]:
    """One scene per clip, in which nothing is to be told."""
    return [
        replace(_day(places[name], zones, seed + number), length_s=hours * 3600)
        for number, (name, zones) in enumerate(ZONES.items())
    ]


def quiet_jpeg(scene: Scene, number: int, t: float) -> bytes:
    """The picture of a look: a moment of the clip in the light of the hour. Asked for in the order of time."""
    assert scene.place is not None
    frames = small_frames(scene.place.clip)
    moment = int(np.random.default_rng((scene.seed, number)).integers(FRAMES))
    cloud = int(np.random.default_rng((scene.seed, 7, int(t / CLOUD_S))).integers(len(LIGHTS)))
    hour = ((scene.starts_at + timedelta(seconds=t)).hour + 8) % 24
    night = hour >= NIGHT_FROM_H or hour < NIGHT_TO_H
    known = (moment * len(LIGHTS) + (0 if night else cloud), (), night)
    if known not in scene.kept:
        image = frames[moment * len(frames) // FRAMES]
        if night:
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            image = np.asarray(cv2.merge([grey, grey, grey]), np.uint8)
        lit = cv2.convertScaleAbs(image, alpha=0.8 if night else LIGHTS[cloud])
        scene.kept[known] = cv2.imencode(".jpg", lit, [cv2.IMWRITE_JPEG_QUALITY, 75])[1].tobytes()
    return scene.kept[known]


def _day(place: Place, zones: tuple[tuple[str, ZoneKind], ...], seed: int) -> Scene:
    drawn = tuple(Zone(f"{ground} {kind}", kind, place.grounds[ground]) for ground, kind in zones)
    return Scene(
        name=f"quiet-{place.name}", place=place, zones=drawn, actors=(), expected=(), allowed=(), starts_at=NOON,
        length_s=0, interval_s=INTERVAL_S, seed=seed,
    )  # fmt: skip
