"""Training itself; needs torch and the start weights, and says so when it has neither."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.errors import DatasetError, WeightsError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("ultralytics") is None, reason="needs the extra `train`"),
    pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent"),
    pytest.mark.slow,
    pytest.mark.timeout(900),  # some seconds of training and a quantisation, on whatever else the machine does
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with the real classes and start weights and three small pictures."""
    root = tmp_path / "data"
    for part in ("images/fire", "labels/fire", "splits", "weights"):
        (root / part).mkdir(parents=True)
    for name in ("classes.txt", "sets.tsv"):
        shutil.copy(SHARED / name, root / name)
    for name in ("yolo11n-coco.pt", "street-first.pt"):
        (root / "weights" / name).symlink_to(SHARED / "weights" / name)
    for name in ("a", "b", "c"):
        cv2.imwrite(str(root / f"images/fire/{name}.png"), np.full((80, 80, 3), (10, 140, 250), np.uint8))
        (root / f"labels/fire/{name}.txt").write_text("3 0.5 0.5 0.4 0.4")
    listed = "images/fire/a.png\nimages/fire/b.png\nimages/fire/c.png\n"
    for split in ("train", "val"):
        (root / f"splits/{split}.txt").write_text(listed)
    return root


def fit_of(data: Path, work: Path, steps: int) -> Any:
    from detect.training.build import COCO_START, STREET_START
    from detect.training.fit import Fit, FitSettings
    from detect.training.network import build
    from detect.training.pictures import SampleSource

    work.mkdir(exist_ok=True)
    source = SampleSource(data)
    network = build(data / COCO_START, data / STREET_START, source.names)
    return Fit(network, source, work, FitSettings(steps=steps, batch=2, check_every=100))


def run(fit: Any, *, stop_at: int = 10**9) -> bool:
    return bool(fit.run(judge=lambda _: 0.5, report=lambda _: None, stop=lambda: fit.step >= stop_at))


def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not(data: Path, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    whole = fit_of(data, tmp_path / "whole", 3)
    assert run(whole)
    torch.manual_seed(0)
    stopped = fit_of(data, tmp_path / "parts", 3)
    assert not run(stopped, stop_at=2)
    resumed = fit_of(data, tmp_path / "parts", 3)
    assert resumed.resume()
    assert resumed.step == 2
    assert run(resumed)
    ends = zip(whole.average.state_dict().values(), resumed.average.state_dict().values(), strict=True)
    assert all(torch.allclose(one.float(), other.float(), atol=1e-4) for one, other in ends)


def test_the_stem_stays_as_it_was_and_the_trunk_above_it_learns(data: Path, tmp_path: Path) -> None:
    import torch

    fit = fit_of(data, tmp_path / "work", 2)
    stem, rest = fit.network.trunk.body[:4], fit.network.trunk.body[4:]
    before = [value.detach().clone() for value in (*stem.parameters(), *rest.parameters())]
    run(fit)
    same = [torch.equal(*pair) for pair in zip(before, (*stem.parameters(), *rest.parameters()), strict=True)]
    assert same == [True] * len(list(stem.parameters())) + [False] * len(list(rest.parameters()))


def test_the_teacher_finds_no_fault_with_its_own_answer_and_does_with_another(data: Path) -> None:
    import torch

    from detect.training.keep import Teacher, keep_loss

    fit = fit_of(data, data.parent / "work", 1)
    stem = fit.network.eval().trunk.stem(torch.rand(1, 3, 64, 64))
    wanted, _ = Teacher(fit.network)(stem)
    assert float(keep_loss(fit.network.coco(*fit.network.trunk.rest(stem)), wanted)) < 1e-3
    assert float(keep_loss((wanted[0] + torch.randn_like(wanted[0]), wanted[1] + 1), wanted)) > 0.1


def test_a_gap_is_filled_with_the_teachers_answer_only_where_no_set_speaks() -> None:
    import torch

    from detect.training.keep import gap_loss

    wanted, given = torch.randn(1, 3, 10), torch.randn(1, 3, 10, requires_grad=True)
    counted = torch.tensor([[1.0, 0, 0]])  # the third class came with no weights: the teacher knows nothing of it
    gap_loss(given, wanted, counted=counted, known=2).backward()
    assert given.grad is not None
    assert [bool(row.abs().sum() > 0) for row in given.grad[0]] == [False, True, False]
    assert float(gap_loss(wanted, wanted, counted=counted, known=2)) < 1e-6


def test_a_run_that_fills_gaps_trains_to_its_end(data: Path, tmp_path: Path) -> None:
    fit = fit_of(data, tmp_path / "work", 2)
    fit.settings = replace(fit.settings, fill_gaps=True)
    assert run(fit)


def test_every_layer_of_the_street_tail_learns(data: Path, tmp_path: Path) -> None:
    """Ultralytics saves a copy in which nothing is trainable: once only the last layer learnt, and nobody noticed."""
    import torch

    fit = fit_of(data, tmp_path / "work", 2)
    before = {name: value.detach().clone() for name, value in fit.network.street.named_parameters()}
    run(fit)
    still = [name for name, value in fit.network.street.named_parameters() if torch.equal(value, before[name])]
    assert still == []


def test_a_class_that_does_not_count_moves_nothing() -> None:
    import torch

    from detect.training.loss import StreetLoss, Targets

    places = 8 * 8 + 4 * 4 + 2 * 2
    bins, scores = torch.randn(1, 64, places), torch.randn(1, 3, places, requires_grad=True)
    targets = Targets(torch.zeros(1, 1, 1), torch.tensor([[[8.0, 8, 40, 40]]]), torch.tensor([[1.0, 0, 1]]))
    loss, _ = StreetLoss(3)((bins, scores), targets, 64)
    loss.backward()
    assert scores.grad is not None
    assert scores.grad[0, 0].abs().sum() > 0
    assert scores.grad[0, 1].abs().sum() == 0


def test_a_blend_lies_between_start_and_trained_and_keeps_the_rows_of_new_classes() -> None:
    import torch

    from detect.training.blend import blended

    start = {
        "body.0.weight": torch.zeros(2),
        "street.class_branches.0.2.weight": torch.zeros(3, 1),
        "count": torch.tensor(1),
    }
    trained = {
        "body.0.weight": torch.ones(2),
        "street.class_branches.0.2.weight": torch.ones(3, 1),
        "count": torch.tensor(9),
    }
    mixed = blended(start, trained, share=0.25, known=2)
    assert mixed["body.0.weight"].tolist() == [0.25, 0.25]
    assert mixed["street.class_branches.0.2.weight"].flatten().tolist() == [0.25, 0.25, 1.0]
    assert mixed["count"] == 9


def test_a_run_begun_in_the_same_folder_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    from detect.training.build import train

    work = tmp_path / "work"
    work.mkdir()
    (work / "last.pt").touch()
    with pytest.raises(DatasetError, match="resume"):
        train(data, tmp_path / "out", work=work)


def test_start_weights_that_are_missing_or_none_are_named(data: Path) -> None:
    from detect.training.network import load_checkpoint

    with pytest.raises(WeightsError, match="missing"):
        load_checkpoint(data / "nothing.pt")
    (data / "wrong.pt").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"wrong\.pt"):
        load_checkpoint(data / "wrong.pt")


def test_classes_in_another_order_are_refused(data: Path) -> None:
    from detect.training.build import COCO_START, STREET_START
    from detect.training.network import build

    with pytest.raises(WeightsError, match="classes"):
        build(data / COCO_START, data / STREET_START, ("fire", "garbage"))


def test_from_data_to_weights_in_one_call(data: Path, tmp_path: Path) -> None:
    from detect.training.build import train
    from detect.training.fit import FitSettings
    from detect.weights import verified_manifest

    phases: list[str] = []
    trained = train(
        data,
        tmp_path / "out",
        work=tmp_path / "work",
        settings=FitSettings(steps=1, batch=2),
        report=lambda progress: phases.append(progress.phase),
    )
    assert trained is not None
    assert verified_manifest(tmp_path / "out").metrics["classes"]["fire"]["boxes"] == 3
    card = (tmp_path / "out" / "CARD.md").read_text()
    assert all(name in card for name in ("AGPL-3.0", "graffiti", "Known failures", "CC BY 4.0"))
    assert phases[0] == "train"
    assert phases[-1] == "done"
