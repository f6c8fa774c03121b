"""The model card: what the weights are, how well they see, what they cannot, and where everything came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detect.evaluation import Evaluation
from detect.training.measure import FRAMES_PER_CLIP, Agreement
from detect.weights import Manifest

PROVENANCE = (
    "Trunk and COCO tail: Ultralytics YOLO11n trained on COCO (AGPL-3.0), rebuilt from a public int8 OpenVINO export "
    "(github.com/yas-sim/ultralytics_yolo11_optimization, commit 04a298d3be10a76bf2be83f812bd5195e17e4c6f) by "
    "dequantising each channel. Street tail: trained by this project on the pictures below, starting from an "
    "eight-epoch trial of its own on the same trunk. Quantised with NNCF."
)

DATA = (
    "garbage, garbage_bin, garbage_overflow: 2,219 pictures, github.com/ATANU0023/garbage_detection_dataset 1e9fc550; "
    "CC BY 4.0 by the uploader's statement; some show newspaper or shop marks, so the licence of those is not proven",
    "fire, smoke: 314 frames of 24 scenes, github.com/Abonia1/YOLOv8-Fire-and-Smoke-Detection f2c67efa; CC BY 4.0 by "
    "the uploader's statement; many frames carry broadcasters' marks",
    "pothole: 380 pictures, github.com/biankatpas/Cracks-and-Potholes-in-Road-Images-Dataset 1f200541; MIT; highways "
    "of one Brazilian road authority",
    "helmet, head_no_helmet: 450 pictures, Hard Hat Workers (Northeastern University, doi:10.7910/DVN/7CBGOS) from "
    "github.com/ahamedkafeel22/helmet-safety-detection 17215214; Public Domain as stated; some show press marks",
    "signboard, window_ad, blade_sign: 230 photographs, github.com/Urban-Research-Lab/building-facades-advertising-"
    "dataset 9782a3e7; CC0 1.0; ordinary shop signs of one city, not unlawful ones",
    "graffiti: 350 pictures, STORM data set (doi:10.5281/zenodo.3238357) from github.com/dinhdung6/"
    "Yolo-graffiti-detection 94481203; CC BY 4.0, not confirmed at its source; hand-held close views in one Greek city",
    "quiet street frames without marks (nothing burns, nothing lies about): opencv-doc's vtest.avi (Apache-2.0, BSD), "
    "github.com/andrewssobral/bgslibrary (MIT for the repository; the videos' own origin is not stated)",
)

FAILURES = (
    "Fire is the weakest for its importance: 24 scenes teach no general flame. A find of fire is a reason to look "
    "again, never enough alone. Lamps, sunsets and reflective vests may be taken for it.",
    "A street cabinet covered with torn posters scores up to .41 as an overflowing bin; hence thresholds from .4 on, "
    "fire and smoke aside.",
    "Smoke was learnt mostly indoors; val has 12 boxes of it, so its figure may be off by a tenth and more.",
    "Potholes come from highways seen through a windscreen; val and training share one country's asphalt.",
    "Garbage pictures are taken at walking height and stretched to squares; far, small litter is missed.",
    "window_ad is marked by 133 boxes in all and is not usable.",
    "Signs are ordinary shop signs: what is unlawful about one is not to be seen from the box.",
    "Graffiti were close and hand-held; a wall across the street is another matter.",
    "Hardly any picture was taken at night; grey and dark versions were made by calculation.",
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything measured, of the int8 weights as they run unless it says float."""

    figures: Evaluation
    float_figures: Evaluation
    agreement: Agreement
    false_alarms: dict[str, dict[str, float]]
    fire: dict[str, float]
    milliseconds: dict[str, float]
    megabytes: float
    training: str = ""
    provenance: str = PROVENANCE
    data: tuple[str, ...] = DATA

    def metrics(self) -> dict[str, Any]:
        """For the manifest: the coverage page and `gridwarden coverage` read precision and recall from here."""
        figures = self.figures.to_json()
        return {
            "measured_on": f"{self.figures.images} val pictures of the six sets, not trained on; int8 as shipped",
            "measured_on_zh": f"六个图集的验证集 {self.figures.images} 张图片（未参与训练，按随附的 int8 权重）",
            "map50": figures["map50"],
            "classes": figures["classes"],
            "float_map50": self.float_figures.to_json()["map50"],
            "coco_agreement": round(self.agreement.kept, 3),
            "false_finds_per_100_quiet_looks": self.false_alarms,
            "fire_clip_looks_with": {name: round(share, 3) for name, share in self.fire.items()},
            "cpu_ms_per_look": self.milliseconds,
        }


def write_card(path: Path, manifest: Manifest, facts: CardFacts) -> None:
    path.write_text("\n\n".join(part for part in _sections(manifest, facts) if part) + "\n", encoding="utf-8")


def _sections(manifest: Manifest, facts: CardFacts) -> list[str]:
    return [
        f"# {manifest.name}: what gridwarden sees with",
        f"One int8 OpenVINO network, {facts.megabytes:.1f} MB: a YOLO11n trunk with two tails, one for the COCO "
        "classes of a street, one for street problems. It needs no GPU and no torch.",
        f"Licence: **{manifest.licence}** (Ultralytics' YOLO11n is AGPL-3.0, and so is what is made from it).",
        "## Street classes, measured",
        f"{facts.figures.images} validation pictures nobody trained on, judged only for what their set marks, through "
        "the int8 runtime path. Precision and recall at the threshold that is shipped. Thresholds, and which "
        "checkpoint is kept, were chosen on these same pictures; on other streets expect less.",
        _table(facts),
        "## What was kept of COCO",
        _kept(facts),
        f"Classes: {', '.join(manifest.outputs[0].classes)}.",
        "## Speed",
        "CPU milliseconds of one look on one core, picture to boxes (AMD EPYC, AVX2 without VNNI): "
        + ", ".join(f"{size} {value}" for size, value in facts.milliseconds.items())
        + ". The shape nearest the picture's own is used.",
        "## On clips that were not trained on",
        _clips(facts),
        "## Known failures",
        "\n".join(f"- {line}" for line in FAILURES),
        "## Where it comes from",
        manifest.provenance,
        facts.training,
        "Pictures (none of them is part of this repository), with the doubts about their licences:",
        "\n".join(f"- {line}" for line in manifest.data),
    ]


def _table(facts: CardFacts) -> str:
    rows = ["| class | AP50 | AP50-95 | float AP50 | threshold | precision | recall | boxes |", "|---" * 8 + "|"]
    for name, result in facts.figures.classes.items():
        floating = facts.float_figures.classes[name].ap50
        values = (result.ap50, result.ap, floating, result.threshold, result.precision, result.recall)
        rows.append(f"| {name} | " + " | ".join(_figure(value) for value in values) + f" | {result.boxes} |")
    means = (facts.figures.map50, facts.figures.map, facts.float_figures.map50)
    rows.append("| **mean** | " + " | ".join(_figure(value) for value in means) + " | | | | |")
    return "\n".join(rows)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}" if value in (0.0, 1.0) else f"{value:.3f}"


def _kept(facts: CardFacts) -> str:
    agreement = facts.agreement
    return (
        "Trunk and COCO tail were trained beside the street tail with the start network as their teacher; rows of "
        f"other classes were dropped. Of {agreement.finds} things the float start network sees at 640 x 640 on frames "
        f"of the clips (score from 0.4), the int8 network at its own, smaller size sees {agreement.kept:.1%} (same "
        f"class, IoU from 0.5, score from 0.3); {agreement.new:.1%} of its own finds the start network does not have."
    )


def _clips(facts: CardFacts) -> str:
    lines = []
    for clip, counts in facts.false_alarms.items():
        found = ", ".join(f"{name} {value}" for name, value in counts.items()) or "none"
        lines.append(
            f"- {clip} (nothing wrong in it), false finds per 100 looks (of {FRAMES_PER_CLIP} looked at): {found}"
        )
    for name, share in facts.fire.items():
        lines.append(f"- burning model house, share of looks with {name.replace('_', ' ')}: {share:.0%}")
    return "\n".join(lines) or "No clips were at hand."
