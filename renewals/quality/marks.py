"""How data quality shows in the central table: the mark in a row, the filter, and how each severity looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, CharField, F, Func, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.html import format_html

from accounts.templatetags.look import icon
from renewals.models.quality import DataRule, RenewalQuality

Severity = DataRule.Severity
SEVERITIES = {str(severity.label).lower(): severity for severity in reversed(Severity)}
TONES = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.INFO: "info"}
ICONS = {Severity.ERROR: "circle-x", Severity.WARNING: "alert-triangle", Severity.INFO: "info-circle"}

# Of renewals that are read with their quality: the names of the rules that each breaks, the most severe first.
RULE_NAMES = RawSQL(
    "ARRAY(SELECT d.name FROM renewals_datarule d WHERE d.id = ANY(renewals_renewalquality.rule_ids)"
    " ORDER BY d.severity DESC, d.id)",
    (),
    output_field=ArrayField(CharField()),
)
WORDS = {"any": "breaks a rule", "none": "breaks no rule", **{name: f"has an {name}" for name in SEVERITIES}}
WORDS["warning"] = "has a warning"


def mark(worst_severity: int | None, rule_names: Sequence[str], renewal_id: int) -> str:
    """The mark of a row that breaks a rule, which leads to what mends it; nothing for a row in order.

    Reached with the arrow keys as the cell that it is in, it is no stop of its own for the Tab key.
    """
    if worst_severity is None or not rule_names:
        return ""
    return format_html(
        '<a class="g-mark p-{}" href="{}?renewal={}" title="{}" tabindex="-1">{}'
        '<span class="visually-hidden">{}</span></a>',
        TONES[Severity(worst_severity)],
        _list_url(),
        renewal_id,
        "; ".join(rule_names),
        icon(ICONS[Severity(worst_severity)]),
        f"Breaks: {'; '.join(rule_names)}",
    )


@cache
def _list_url() -> str:
    return reverse("quality:list")


def is_found_in(found: QuerySet[RenewalQuality]) -> Q:
    """Renewals that are among these.

    As an array, which is read once: mostly open rows break a rule, and a join would look for each of the decided ones.
    """
    ids = ArraySubquery(found.order_by().values("pk"))
    return Q(Func(F("pk"), ids, template="(%(expressions)s))", arg_joiner=" = ANY (", output_field=BooleanField()))


def read_quality(value: str) -> tuple[str, Q]:
    """What a value of the filter says in words and restricts: any, none, a severity, or the id of a rule.

    Raises:
        LookupError: it says nothing that is known.
    """
    match value:
        case "any":
            return WORDS[value], is_found_in(RenewalQuality.objects.all())
        case "none":
            return WORDS[value], Q(quality__isnull=True)
    if value in SEVERITIES:
        rule_ids = list(DataRule.objects.filter(severity=SEVERITIES[value]).order_by().values_list("pk", flat=True))
        return WORDS[value], is_found_in(RenewalQuality.objects.filter(rule_ids__overlap=rule_ids))
    rule = DataRule.objects.filter(pk=int(value)).first() if re.fullmatch(r"[0-9]{1,4}", value) else None
    if rule is None:
        raise LookupError(value)
    return str(rule), is_found_in(RenewalQuality.objects.filter(rule_ids__contains=[rule.pk]))


def quality_options() -> list[tuple[str, str]]:
    """Values and labels of the filter."""
    rules = [(str(rule.pk), str(rule)) for rule in DataRule.objects.filter(is_active=True)]
    return [*((value, text.capitalize()) for value, text in WORDS.items()), *rules]
