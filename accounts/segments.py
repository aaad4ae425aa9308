"""The segment that a page of rules is about; rules without a segment are those of all other segments."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.models import Segment


def read_segment(request: HttpRequest) -> Segment | None:
    """The segment that the address names; None, for the other segments, where it names none."""
    value = request.GET.get("segment", "")
    return get_object_or_404(Segment, pk=int(value)) if value.isdecimal() and len(value) < 18 else None


def segment_name(segment: Segment | None) -> str:
    return str(segment) if segment else "other segments"
