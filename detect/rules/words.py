"""The reason in words, with figures and limits, as a worker reads it on the phone."""

from __future__ import annotations

from collections import Counter

from detect.rules.hit import Hit
from models.taxonomy import Recipe, RuleKind, Taxonomy
from models.text import Text


def reason(hit: Hit, recipe: Recipe, taxonomy: Taxonomy, *, lasted_s: float) -> Text:
    """Why this is told now.

    In the style of "3 处垃圾已停留 8 分钟，限 5 分钟" and "3 heaps of garbage for 8 min, limit 5 min".
    """
    what_zh, what_en = _things(hit, taxonomy)
    where_zh = f"“{hit.zone}”内" if hit.zone else ""
    where_en = f" in “{hit.zone}”" if hit.zone else ""
    lasted, limit = duration(lasted_s), duration(recipe.dwell_s)
    if recipe.rule is RuleKind.ABSENT:
        name = taxonomy.words(hit.things[0].name)
        return Text(
            f"{where_zh}{name.zh[1:]}不见已 {lasted.zh}，限 {limit.zh}",
            f"{name.en} missing{where_en} for {lasted.en}, limit {limit.en}",
        )
    extra_zh, extra_en = _extra(hit, recipe)
    if recipe.dwell_s < 1:
        return Text(f"{where_zh}发现 {what_zh}{extra_zh}", f"{what_en}{where_en}{extra_en}")
    threshold = _threshold(hit, recipe, taxonomy)
    stay = "已停留" if recipe.rule in _STAYING else "已持续"
    return Text(
        f"{where_zh}{what_zh}{extra_zh}{stay} {lasted.zh}，限 {threshold.zh}{limit.zh}",
        f"{what_en}{where_en}{extra_en} for {lasted.en}, limit {threshold.en}{limit.en}",
    )


def duration(seconds: float) -> Text:
    """In the unit a person would use.

    >>> [duration(value).en for value in (45, 480, 5400, 604800)]
    ['45 s', '8 min', '1.5 h', '7 d']
    """
    for below, unit, zh, en in _UNITS:
        if seconds < below:
            return Text(f"{_round(seconds / unit)} {zh}", f"{_round(seconds / unit)} {en}")
    return Text(f"{_round(seconds / 86400)} 天", f"{_round(seconds / 86400)} d")


_UNITS = ((120, 1, "秒", "s"), (3600, 60, "分钟", "min"), (172800, 3600, "小时", "h"))
_STAYING = frozenset({RuleKind.DWELL, RuleKind.APPEARS, RuleKind.TOGETHER, RuleKind.AREA})


def _round(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:.0f}"


def _things(hit: Hit, taxonomy: Taxonomy) -> tuple[str, str]:
    """The things, all by the name most of them have."""
    words, number = taxonomy.words(_usual_name(hit)), len(hit.things)
    return f"{number} {words.zh}", f"{number} {words.en if number == 1 else words.en_many}"


def _extra(hit: Hit, recipe: Recipe) -> tuple[str, str]:
    if hit.companions:
        return f"旁有 {hit.companions} 人，", f" with {hit.companions} people at it"
    if recipe.area and recipe.rule is RuleKind.AREA:
        return f"占画面 {hit.size:.1%}，", f" covering {hit.size:.1%} of the picture"
    return "", ""


def _threshold(hit: Hit, recipe: Recipe, taxonomy: Taxonomy) -> Text:
    if recipe.rule is RuleKind.COUNT:
        words = taxonomy.words(_usual_name(hit))
        return Text(f"{recipe.count:g} {words.zh}、", f"{recipe.count:g} {words.en_many} for ")
    if recipe.rule is RuleKind.AREA and recipe.area:
        return Text(f"{recipe.area:.1%}、", f"{recipe.area:.1%} for ")
    return Text("", "")


def _usual_name(hit: Hit) -> str:
    return Counter(thing.name for thing in hit.things).most_common(1)[0][0]
