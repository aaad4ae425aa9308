"""Themes of what customers ask support for, and what the company does about each."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Ticket, User
from config.history import track_history

MOST_WORDS = 50
WORD_LENGTH = 60


class FeedbackThemeQuerySet(models.QuerySet["FeedbackTheme"]):
    def done(self) -> FeedbackThemeQuerySet:
        return self.filter(status=FeedbackTheme.Status.DONE)


@track_history(is_making_kept=True)
class FeedbackTheme(models.Model):
    """Tickets that belong together by a rule that everybody can read, and who answers them in the product.

    A ticket belongs to it that is of one of `categories` and has one of `words`; a blank list of the two asks for
    nothing. A word is meant from its beginning ("export" is in "exports"), several in a row stand side by side. The
    rule is about the product, not about a customer: everybody reads themes, and sees of each the tickets of their own
    scope.
    """

    class Route(models.TextChoices):
        ENGINEERING = "engineering", "Engineering"
        DOCUMENTATION = "documentation", "Documentation"
        ONBOARDING = "onboarding", "Onboarding"

    class Status(models.TextChoices):
        NEW = "new", "New"
        ACCEPTED = "accepted", "Accepted"
        IN_PROGRESS = "in_progress", "In progress"
        DONE = "done", "Done"
        DECLINED = "declined", "Declined"

    name = models.CharField(max_length=80)
    categories = ArrayField(models.CharField(max_length=15, choices=Ticket.Category.choices), default=list, blank=True)
    words = ArrayField(models.CharField(max_length=WORD_LENGTH), default=list, blank=True, size=MOST_WORDS)
    route = models.CharField(max_length=13, choices=Route, default=Route.ENGINEERING)
    status = models.CharField(max_length=11, choices=Status, default=Status.NEW)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="feedback_themes")
    note = models.TextField(blank=True, max_length=2000)
    link = models.URLField(max_length=500, blank=True, validators=[URLValidator(schemes=["http", "https"])])
    target_on = models.DateField("target date", null=True, blank=True)
    done_on = models.DateField("done on", null=True, blank=True)
    edit_count = models.PositiveIntegerField(default=0, editable=False)  # what an edit says that it saw
    updated_at = models.DateTimeField(auto_now=True)

    objects = FeedbackThemeQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="feedback_theme_name_once",
                violation_error_message="There is a theme of this name already.",
            ),
            models.CheckConstraint(
                condition=~Q(categories=[], words=[]),
                name="feedback_theme_has_rule",
                violation_error_message="A theme needs a category or a word.",
            ),
            models.CheckConstraint(
                condition=Q(status="done", done_on__isnull=False) | (~Q(status="done") & Q(done_on__isnull=True)),
                name="feedback_theme_done_on",
                violation_error_message="A theme has a day on which it was done if, and only if, it is done.",
            ),
            models.CheckConstraint(
                condition=~Q(status="declined", note=""),
                name="feedback_theme_declined_with_reason",
                violation_error_message="Say in the note why it is declined.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
