"""Fill what the demo company's capacity is reckoned by."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from dashboards.capacity.demo import fill_capacity


class Command(BaseCommand):
    help = "Fill hours of work, absences, holidays and planned customers of the demo company."

    def handle(self, *args: Any, **options: Any) -> None:
        fill_capacity()
