"""What the loaded weights really see of the taxonomy: the honest `seen_by`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models.ids import SubcategoryCode
from models.places import ZONE_WORDS
from models.taxonomy import STATIC_CHANGE, Recipe, SeenBy, Subcategory, Taxonomy
from models.text import Text


@dataclass(frozen=True, slots=True)
class ClassMeasure:
    """How well weights see one class, and on what that was measured ("123 boxes in 419 val pictures")."""

    precision: float
    recall: float
    measured_on: Text


TRUSTED_PRECISION, TRUSTED_RECALL = 0.9, 0.8
"""From these on a find may be dispatched without anybody looking at it; below, one in ten workers would go for nothing
or one in five problems be overlooked while everybody relies on the camera."""


@dataclass(frozen=True, slots=True)
class RuleMeasure:
    """How well what is told fits what happened, for one subcategory.

    expected: by kind of evidence ("composed" scenes, labelled "picture"s played as a camera), how many events were to
    be told.
    """

    precision: float | None
    recall: float | None
    expected: Mapping[str, int]

    @property
    def trusted(self) -> bool:
        precision, recall = self.precision or 0.0, self.recall or 0.0
        return precision >= TRUSTED_PRECISION and recall >= TRUSTED_RECALL and self.enough

    @property
    def wanting(self) -> bool:
        """Measured often enough to know that it is not to be trusted: this overrules the recipe's own word."""
        return sum(self.expected.values()) >= ENOUGH_TO_HOLD and not self.trusted

    @property
    def enough(self) -> bool:
        return sum(self.expected.values()) >= ENOUGH


ENOUGH = 5
"""Expected events from which on figures are worth trusting: of four, one more or less is a quarter."""

ENOUGH_TO_HOLD = 20
"""From here on poor figures hold a kind back. With fewer, one false find in a composed scene would keep every illegally
parked car from whoever answers for it; the recipe's own judgement stands until then, and the page says how few."""


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One subcategory. precision, recall: of the rule where it was measured, else of the detection it stands on; None
    where nothing was measured. assist_only: finds wait for an operator's word, because the recipe is weak by its nature
    or was measured and found wanting. trusted: measured, and good enough to send somebody at once.
    """

    code: SubcategoryCode
    zh: str
    en: str
    seen_by: SeenBy
    precision: float | None
    recall: float | None
    evidence: Text
    assist_only: bool = False
    trusted: bool = False

    def as_json(self) -> dict[str, Any]:
        """`evidence` is the English sentence, as programs have known it; the Chinese one stands beside it."""
        return {
            "code": self.code, "zh": self.zh, "en": self.en, "seen_by": self.seen_by.value,
            "assist_only": self.assist_only, "trusted": self.trusted,
            "precision": self.precision, "recall": self.recall,
            "evidence": self.evidence.en, "evidence_zh": self.evidence.zh,
        }  # fmt: skip


def coverage(
    taxonomy: Taxonomy,
    names: tuple[str, ...],
    measured: Mapping[str, ClassMeasure] | None = None,
    *,
    rules: Mapping[str, RuleMeasure] | None = None,
) -> list[CoverageRow]:
    """A row per subcategory for weights with these class names.

    A subcategory is "camera" only when its recipe's classes are among the names. Its figures are those of the rule; of
    one that was not measured, those of the worst measured of its classes: a recipe is no better than what it stands on.
    """
    known = frozenset(names) | {STATIC_CHANGE}
    figures = rules or {}
    return [
        _row(item, taxonomy, known, measured or {}, figures.get(item.code)) for item in taxonomy.subcategories.values()
    ]


def _row(
    item: Subcategory,
    taxonomy: Taxonomy,
    known: frozenset[str],
    measured: Mapping[str, ClassMeasure],
    rule: RuleMeasure | None,
) -> CoverageRow:
    recipe = item.recipe
    if recipe is None or item.seen_by is not SeenBy.CAMERA:
        return _by_people(item, Text("由人上报", "reported by people"))
    if not recipe.visible_to(known):
        return _by_people(item, _missing(recipe, taxonomy, known))
    if rule is not None and rule.expected:
        return CoverageRow(
            item.code, item.zh, item.en, SeenBy.CAMERA, rule.precision, rule.recall, _events(rule, _zones(recipe)),
            assist_only=item.assist or rule.wanting, trusted=rule.trusted,
        )  # fmt: skip
    used = sorted((set(recipe.classes) | set(recipe.with_classes)) & known)
    figures = {name: measured[name] for name in used if name in measured}
    zones = _zones(recipe)
    if not figures:
        seen = _joined((taxonomy.noun(name) for name in used), Text("、", ", "))
        evidence = Text(f"未实测；所看的是：{seen.zh}{zones.zh}", f"not measured; sees {seen.en}{zones.en}")
        return CoverageRow(item.code, item.zh, item.en, SeenBy.CAMERA, None, None, evidence, assist_only=item.assist)
    name, worst = min(figures.items(), key=lambda pair: pair[1].precision + pair[1].recall)
    others = _unmeasured(taxonomy.noun(each) for each in used if each not in figures)
    noun, where = taxonomy.noun(name), worst.measured_on
    evidence = Text(
        f"单张图片中“{noun.zh}”的检测，{where.zh}；规则本身未实测{others.zh}{zones.zh}",
        f"detection of “{noun.en}” per picture, {where.en}; the rule itself is not measured{others.en}{zones.en}",
    )
    figures_of = (worst.precision, worst.recall)
    return CoverageRow(item.code, item.zh, item.en, SeenBy.CAMERA, *figures_of, evidence, assist_only=item.assist)


_EVENTS = {
    "composed": Text(
        "合成场景（真实物体放入真实录像，至少占画面宽的 7%）{} 次",
        "{} events in composed scenes (real objects of 7 % of the picture's width and more, real clips)",
    ),
    "clip": Text("真实录像播放 {} 次", "{} plays of a real clip in changing light"),
    "picture": Text("未参与训练的图片当作摄像头 {} 处", "{} in held-out pictures played as cameras"),
}


def _events(rule: RuleMeasure, zones: Text) -> Text:
    """What the rule was measured on, and whether that is much."""
    kinds = [(words, rule.expected[kind]) for kind, words in _EVENTS.items() if rule.expected.get(kind)]
    where = _joined((Text(words.zh.format(n), words.en.format(n)) for words, n in kinds), Text("，", ", "))
    few = Text("；次数太少，不足为凭", "; too few to rely on") if not rule.enough else Text("", "")
    never = Text("；从未上报", "; never told") if rule.precision is None else Text("", "")
    return Text(
        f"规则实测：{where.zh}{few.zh}{never.zh}{zones.zh}",
        f"the rule, measured: {where.en}{few.en}{never.en}{zones.en}",
    )


def _by_people(item: Subcategory, evidence: Text) -> CoverageRow:
    return CoverageRow(item.code, item.zh, item.en, SeenBy.PEOPLE, None, None, evidence)


def _missing(recipe: Recipe, taxonomy: Taxonomy, known: frozenset[str]) -> Text:
    """What the weights would have to know: one of `classes`, and of `with_classes` if the recipe asks for company."""
    wanted = [group for group in (recipe.classes, recipe.with_classes) if group and known.isdisjoint(group)]
    groups = [_joined((taxonomy.noun(name) for name in sorted(group)), Text("或", " or ")) for group in wanted]
    both = _joined(groups, Text("，以及", ", and "))
    return Text(f"权重还不能识别{both.zh}，由人上报", f"reported by people until weights know {both.en}")


def _unmeasured(nouns: Iterable[Text]) -> Text:
    others = _joined(nouns, Text("、", ", "))
    return Text(f"；也看但未实测：{others.zh}", f"; also sees, not measured: {others.en}") if others.en else others


def _zones(recipe: Recipe) -> Text:
    kinds = _joined((ZONE_WORDS[kind] for kind in recipe.zones), Text("或", " or "))
    return Text(f"；须划区：{kinds.zh}", f"; needs a zone: {kinds.en}") if recipe.zones else kinds


def _joined(words: Iterable[Text], between: Text) -> Text:
    """Each word once: a banana, an apple and an orange are all fruit."""
    once = list(dict.fromkeys(words))
    return Text(between.zh.join(word.zh for word in once), between.en.join(word.en for word in once))
