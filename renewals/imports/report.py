"""What became of an import, as data: for pages, the command line and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min

from renewals.imports.findings import title_of
from renewals.models import ImportBatch, ImportFinding

KINDS = ("accounts", "contracts", "renewals", "signals", "tickets", "invoices", "touches", "contacts")


@dataclass(frozen=True)
class Reason:
    """The findings of one batch that share a reason."""

    code: str
    title: str
    severity: str
    count: int  # findings; a row can have several
    first_row: int

    @property
    def is_refusal(self) -> bool:
        return self.severity == ImportFinding.Severity.REFUSED


def reasons_of(batch: ImportBatch) -> list[Reason]:
    """Refusals first, then the most frequent."""
    grouped = (
        batch.findings.order_by()
        .values_list("severity", "reason_code")
        .annotate(count=Count("pk"), first=Min("row_number"))
    )
    reasons = [Reason(code, title_of(code), severity, count, first) for severity, code, count, first in grouped]
    return sorted(reasons, key=lambda reason: (not reason.is_refusal, -reason.count, reason.code))


def summary_of(batch: ImportBatch) -> dict[str, Any]:
    seconds = (batch.finished_at - batch.started_at).total_seconds() if batch.finished_at and batch.started_at else None
    return {
        "file": batch.file_name,
        "mapping": batch.mapping_name,
        "state": batch.state,
        "message": batch.message,
        "row_count": batch.row_count,
        "imported_count": batch.imported_count,
        "refused_count": batch.refused_count,
        "repeated_count": batch.repeated_count,
        "left_out": batch.left_out,
        "warning_count": batch.warning_count,
        "result": {kind: batch.result[kind] for kind in KINDS if kind in batch.result},
        "reasons": [
            {"severity": reason.severity, "code": reason.code, "title": reason.title, "count": reason.count}
            for reason in reasons_of(batch)
        ],
        "seconds": seconds,
    }


def result_rows(batch: ImportBatch) -> list[dict[str, Any]]:
    """Per kind of record, in one order: created, changed, unchanged."""
    return [{"kind": kind.capitalize(), **batch.result[kind]} for kind in KINDS if kind in batch.result]


def outcome_totals(batch: ImportBatch) -> list[dict[str, Any]]:
    """The strip over a batch: where each row that was read went, and what that makes."""
    made = sum(counts["created"] for counts in batch.result.values())
    changed = sum(counts["changed"] for counts in batch.result.values())
    share = f"{batch.imported_count / batch.row_count:.0%}" if batch.row_count else ""
    return [
        {"label": "Rows read", "value": f"{batch.row_count:,}"},
        {"label": "Good", "value": f"{batch.imported_count:,}", "qualifier": share},
        {"label": "Refused", "value": f"{batch.refused_count:,}", "qualifier": "to fix" if batch.refused_count else ""},
        {
            "label": "Repeated, left out",
            "value": f"{batch.repeated_count + batch.left_out_count:,}",
            "qualifier": f"{batch.repeated_count:,} repeat{'' if batch.repeated_count == 1 else 's'}",
        },
        {"label": "New records", "value": f"{made:,}"},
        {"label": "Changed records", "value": f"{changed:,}"},
    ]
