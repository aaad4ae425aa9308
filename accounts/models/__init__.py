"""Who: the company, its users and teams; its customers; and what is known of them."""

from accounts.models.accounts import Account, AccountQuerySet
from accounts.models.company import CURRENCY, Company, ExchangeRate, get_company
from accounts.models.contacts import Contact
from accounts.models.feedback_marks import FeedbackMark
from accounts.models.health import AccountHealth, HealthBand, HealthDay, HealthFactor, HealthWeightVersion
from accounts.models.health_marks import StaleHealth
from accounts.models.invoices import Invoice, InvoiceQuerySet
from accounts.models.lists import AttributeDefinition, Industry, Segment
from accounts.models.people import Team, User, UserManager, owners_visible_to, people_visible_to
from accounts.models.signal_marks import StaleSignal
from accounts.models.signals import AccountSignal
from accounts.models.tickets import Ticket, TicketQuerySet
from accounts.models.touches import Touch, TouchQuerySet

__all__ = [
    "CURRENCY",
    "Account",
    "AccountHealth",
    "AccountQuerySet",
    "AccountSignal",
    "AttributeDefinition",
    "Company",
    "Contact",
    "ExchangeRate",
    "FeedbackMark",
    "HealthBand",
    "HealthDay",
    "HealthFactor",
    "HealthWeightVersion",
    "Industry",
    "Invoice",
    "InvoiceQuerySet",
    "Segment",
    "StaleHealth",
    "StaleSignal",
    "Team",
    "Ticket",
    "TicketQuerySet",
    "Touch",
    "TouchQuerySet",
    "User",
    "UserManager",
    "get_company",
    "owners_visible_to",
    "people_visible_to",
]
