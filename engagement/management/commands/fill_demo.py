"""Fill what the demo company knows of its customers, once its book is there."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand

from engagement.demo.alerts import fill_alerts
from engagement.demo.flags import fill_flags
from engagement.demo.health import fill_health
from engagement.demo.mail import fill_mail
from engagement.demo.minutes import fill_minutes
from engagement.demo.plans import fill_plans
from engagement.demo.support import fill_support

# In this order; each does nothing where its part is there already.
STEPS: tuple[Callable[[], None], ...] = (fill_support, fill_health, fill_mail)
# What rests on the first scores.
SCORED_STEPS: tuple[Callable[[], None], ...] = (fill_plans, fill_flags, fill_minutes, fill_alerts)


class Command(BaseCommand):
    help = "Fill the demo company's support, payments and what else is made after its book."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scored", action="store_true", help="what rests on the scores, once they are there")

    def handle(self, *args: Any, **options: Any) -> None:
        for step in SCORED_STEPS if options["scored"] else STEPS:
            step()
