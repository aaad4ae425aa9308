"""What is typed of an endpoint."""

from __future__ import annotations

from django import forms

from engagement.models import Event, WebhookEndpoint
from engagement.webhooks.addresses import AddressRefused, resolve


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    event_names = forms.MultipleChoiceField(
        label="Events",
        choices=Event.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one event."},
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("name", "url", "event_names", "is_active")
        widgets = {"url": forms.URLInput(attrs={"placeholder": "https://", "spellcheck": "false"})}
        help_texts = {
            "url": "https only, and of the public Internet: addresses of this network are refused.",
            "is_active": "While it is not, nothing is kept for it.",
        }

    def clean_url(self) -> str:
        """Resolved here to say at once what is wrong; each delivery resolves and checks anew."""
        url: str = self.cleaned_data["url"].strip()
        try:
            resolve(url)
        except AddressRefused as refused:
            raise forms.ValidationError(str(refused)) from None
        return url
