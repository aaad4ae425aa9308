"""What is typed about a theme: its rule, and how it is handled."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from accounts.models import Ticket, User
from engagement.models import FeedbackTheme
from engagement.models.feedback import MOST_WORDS, WORD_LENGTH

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class WordsField(forms.CharField):
    """One word, or several side by side, on each line; a comma parts them too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, strip=True, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        found: dict[str, str] = {}
        for part in re.split(r"[\n,;]", super().to_python(value) or ""):
            word = " ".join(part.split())
            if word:
                found.setdefault(word.casefold(), word)
        return list(found.values())

    def validate(self, value: Any) -> None:
        super().validate(value)
        if len(value) > MOST_WORDS:
            raise forms.ValidationError(f"{len(value)} words are more than a theme has: at most {MOST_WORDS}.")
        for word in value:
            if len(word) > WORD_LENGTH:
                raise forms.ValidationError(f"“{word}” has {len(word)} characters; a word has at most {WORD_LENGTH}.")
            if not re.search(r"[^\W_]", word):
                raise forms.ValidationError(f"“{word}” has no letter and no digit: no ticket could have it.")


class HandlingForm(forms.ModelForm):  # type: ignore[type-arg]
    link = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="Where the work is followed, such as an issue or a page.",
    )

    class Meta:
        model = FeedbackTheme
        fields = ("route", "status", "owner", "target_on", "done_on", "link", "note")
        labels = {"route": "Goes to", "target_on": "Target date", "done_on": "Done on"}
        help_texts = {
            "done_on": "Left blank it is today, once the theme is done.",
            "note": "Needed where it is declined: why.",
        }
        widgets = {"target_on": DAY, "done_on": DAY, "note": forms.Textarea(attrs={"rows": 3, "dir": "auto"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        owner.empty_label = "Nobody"  # type: ignore[attr-defined]
        owner.queryset = User.objects.filter(is_active=True).order_by("name", "pk")  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """What belongs together is judged by the service, under the row's lock; the form only reads the values."""


class RuleForm(HandlingForm):
    categories = forms.MultipleChoiceField(
        choices=Ticket.Category.choices, required=False, widget=forms.CheckboxSelectMultiple, label="Categories"
    )
    words = WordsField(
        label="Words", help_text="One a line. “export” is found in “exports” too; “data export” as these two in a row."
    )

    class Meta(HandlingForm.Meta):
        fields = ("name", *HandlingForm.Meta.fields)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.update(categories=self.instance.categories, words=self.instance.words)

    def rule_fields(self) -> list[forms.BoundField]:
        return [self["name"], self["words"]]
