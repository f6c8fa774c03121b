"""Which classes the shipped network names, and what each training set can say about them."""

from __future__ import annotations

# The COCO classes the recipes of `models/taxonomy.toml` may use; the other rows of the class head are dropped.
COCO_KEPT = (
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "umbrella", "chair", "dining table", "bench",
    "bottle", "suitcase", "backpack", "handbag", "potted plant", "traffic light", "fire hydrant", "stop sign", "cup",
    "bowl", "banana", "apple", "orange", "cat", "bird",
)  # fmt: skip

# Each set marks its own classes only (`sets.tsv`). These further classes hardly ever occur in its pictures (contact
# sheets were looked through), so their absence is a fact to learn from: without it, fire has seen no street without
# a fire. What a set may well show unmarked (a bin behind a hard hat) is left out of the loss.
ALSO_ABSENT: dict[str, tuple[str, ...]] = {
    "garbage": ("fire", "smoke", "pothole", "helmet"),
    "fire": ("pothole", "garbage_bin", "garbage_overflow", "graffiti", "blade_sign"),
    "pothole": (
        "garbage", "garbage_bin", "garbage_overflow", "fire", "smoke", "helmet", "head_no_helmet", "signboard",
        "window_ad", "blade_sign", "graffiti",
    ),
    "hardhat": ("fire", "smoke", "pothole", "garbage_bin", "garbage_overflow", "window_ad", "blade_sign", "graffiti"),
    "facade": ("fire", "smoke", "pothole", "helmet"),
    "graffiti": ("fire", "smoke", "pothole", "helmet"),
    "quiet": ("garbage", "garbage_overflow", "fire", "smoke", "pothole", "helmet", "graffiti"),
}  # fmt: skip

# How often a picture of a set is drawn per epoch. Fire has 24 scenes and potholes one road authority: seen as rarely
# as their share of the pictures they are forgotten beside 2,219 garbage pictures; seen more often they are learnt by
# heart.
DRAWS: dict[str, float] = {
    "garbage": 1.0, "fire": 2.0, "pothole": 2.0, "hardhat": 1.3, "facade": 0.8, "graffiti": 2.5, "quiet": 1.0,
}  # fmt: skip
