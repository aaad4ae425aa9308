"""Forms of the import pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings

from renewals.imports.builtin import rank_mappings
from renewals.imports.reader import LAST_HEADER_ROW


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV or XLSX file",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"required": "Choose a file first.", "empty": "The file is empty."},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {file.size / 2**20:,.0f} MB; {settings.IMPORT_MAX_BYTES / 2**20:,.0f} MB at most. "
                "Split it by rows, each part with the headings."
            )
        return file


class MappingForm(forms.Form):
    mapping = forms.ChoiceField(error_messages={"invalid_choice": "Choose one of the mappings."})

    def __init__(self, *args: Any, header: list[str], own: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = [*own, *(fit.name for fit in rank_mappings(header))]
        self.fields["mapping"].choices = [(key, key) for key in keys]  # type: ignore[attr-defined]


class ReadingForm(forms.Form):
    """Where in the file the headings are."""

    header_row = forms.IntegerField(
        min_value=1,
        max_value=LAST_HEADER_ROW,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"),
            f"Headings stand in one of the first {LAST_HEADER_ROW} rows.",
        ),
    )
    sheet = forms.ChoiceField(required=False, error_messages={"invalid_choice": "The workbook has no such sheet."})

    def __init__(self, *args: Any, sheets: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sheet"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    mode = forms.ChoiceField(choices=[("good", "Import the good rows"), ("all", "All or nothing")])
