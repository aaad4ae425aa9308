"""Forms of the import pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from renewals.imports.builtin import builtin_mapping, rank_mappings


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

    def __init__(self, *args: Any, header: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mapping"].choices = [  # type: ignore[attr-defined]
            (fit.name, builtin_mapping(fit.name).name) for fit in rank_mappings(header)
        ]


class ConfirmForm(forms.Form):
    mode = forms.ChoiceField(choices=[("good", "Import the good rows"), ("all", "All or nothing")])
