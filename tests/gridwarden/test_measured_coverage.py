from dataclasses import replace
from pathlib import Path

from detect.weights import read_manifest, shipped_weights
from gridwarden.measured_coverage import measured_coverage
from models.ids import SubcategoryCode
from models.taxonomy import load_taxonomy
from models.text import Text

FIGURES = {"garbage": {"precision": 0.8, "recall": 0.7, "boxes": 123}}


def evidence(**metrics: object) -> Text:
    """Of B1, whose recipe stands on garbage alone, with weights whose rules nobody measured."""
    metrics = {"classes": FIGURES, **metrics}
    manifest = replace(read_manifest(shipped_weights()), folder=Path("unmeasured"), metrics=metrics)
    return {row.code: row for row in measured_coverage(load_taxonomy(), manifest)}[SubcategoryCode("B1")].evidence


def test_what_was_measured_on_is_said_in_both_languages() -> None:
    said = evidence(measured_on="419 val pictures, int8", measured_on_zh="验证集 419 张图片（int8）")
    assert "验证集 419 张图片（int8）中的 123 个框" in said.zh
    assert "123 boxes in 419 val pictures, int8" in said.en


def test_a_manifest_without_chinese_says_less_in_chinese() -> None:
    assert "验证图片中的 123 个框" in evidence(measured_on="my own street").zh


def test_the_shipped_weights_have_a_chinese_form_of_their_own() -> None:
    assert "measured_on_zh" in read_manifest(shipped_weights()).metrics
