"""The rows behind a figure of an offer."""

from django import template

from forecasting.mrr.address import rows_url
from forecasting.mrr.ledger import Ledger
from forecasting.scopes.scope import Scope

register = template.Library()


@register.simple_tag
def offer_rows(scope: Scope, ledger: Ledger, name: str, state: str) -> str:
    """What was sold of it in the months shown, by state."""
    first_on, last_on = ledger.months[0].starts_on, ledger.months[-1].starts_on
    more = {"from": f"{first_on:%Y-%m}", "offer": name}
    return rows_url(scope, "expansion", last_on, state=state, **more)
