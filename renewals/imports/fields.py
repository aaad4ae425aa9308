"""What a column of a file can become: the catalogue that mappings, staging and the mapping page share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """How a cell is read."""

    KEY = "key"
    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    COUNT = "count"
    NUMBER = "number"
    FLAG = "flag"
    CURRENCY = "currency"
    OUTCOME = "outcome"
    SEGMENT = "segment"
    INDUSTRY = "industry"
    OFFER = "offer"
    STAGE = "stage"
    CHURN_REASON = "churn reason"
    USER = "user"
    CATEGORY = "category"
    SEVERITY = "severity"
    TOUCH_KIND = "touch kind"


SQL_TYPES = {
    Kind.KEY: 'text COLLATE "C"',
    Kind.TEXT: "text",
    Kind.DATE: "date",
    Kind.AMOUNT: "numeric(14,2)",
    Kind.COUNT: "integer",
    Kind.NUMBER: "double precision",
    Kind.FLAG: "boolean",
    Kind.CURRENCY: "text",
    Kind.OUTCOME: "text",
    Kind.SEGMENT: "bigint",
    Kind.INDUSTRY: "bigint",
    Kind.OFFER: "bigint",
    Kind.STAGE: "bigint",
    Kind.CHURN_REASON: "bigint",
    Kind.USER: "bigint",
    Kind.CATEGORY: "text",
    Kind.SEVERITY: "text",
    Kind.TOUCH_KIND: "text",
}
NAMED_KINDS = (Kind.SEGMENT, Kind.INDUSTRY, Kind.OFFER, Kind.STAGE, Kind.CHURN_REASON, Kind.USER)


@dataclass(frozen=True)
class Field:
    """One place for a value. `holder` is the table of a mapping that names it, `staged` its column in staging."""

    holder: str
    name: str
    kind: Kind
    label: str
    length: int = 0  # characters at most; 0 where the kind sets it
    lowest: float | None = None
    highest: float | None = None
    # A person's own words are only filled in where they are blank, unless the mapping says `overwrite = true`.
    is_overwriting: bool = True

    @property
    def path(self) -> str:
        return f"{self.holder}.{self.name}"

    @property
    def staged(self) -> str:
        return f"{self.holder}_{self.name}"

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.kind]


Limits = dict[str, Any]


def _fields(holder: str, *entries: tuple[str, Kind, str] | tuple[str, Kind, str, Limits]) -> list[Field]:
    return [Field(holder, entry[0], entry[1], entry[2], **(entry[3] if len(entry) > 3 else {})) for entry in entries]


DAYS: Limits = {"lowest": 0, "highest": 32767}
OF_THE_REP: Limits = {"is_overwriting": False}

FIELDS: dict[str, Field] = {
    field.path: field
    for field in [
        *_fields(
            "account",
            ("external_id", Kind.KEY, "Account id", {"length": 80}),
            ("name", Kind.TEXT, "Account name", {"length": 200}),
            ("segment", Kind.SEGMENT, "Segment"),
            ("industry", Kind.INDUSTRY, "Industry"),
            ("region", Kind.TEXT, "Region", {"length": 60}),
            ("owner", Kind.USER, "Owner of the account (email)"),
            ("customer_since_on", Kind.DATE, "Customer since"),
            ("last_touch_on", Kind.DATE, "Last touch"),
            ("parent", Kind.KEY, "Parent account (its id)", {"length": 80}),
        ),
        *_fields(
            "contract",
            ("number", Kind.KEY, "Contract number", {"length": 80}),
            ("product", Kind.TEXT, "Product", {"length": 200}),
            ("starts_on", Kind.DATE, "Starts on"),
            ("ends_on", Kind.DATE, "Ends on"),
            ("term_months", Kind.COUNT, "Term in months", {"lowest": 1, "highest": 600}),
            ("ended_on", Kind.DATE, "Ended early on"),
            ("recurring_amount", Kind.AMOUNT, "Recurring amount"),
            ("one_off_amount", Kind.AMOUNT, "One-off amount"),
            ("currency", Kind.CURRENCY, "Currency"),
            ("is_auto_renewing", Kind.FLAG, "Renews by itself"),
            ("notice_days", Kind.COUNT, "Notice in days", DAYS),
            ("uplift_cap_rate", Kind.NUMBER, "Uplift cap", {"lowest": 0, "highest": 9.9999}),
            ("price_locked_until_on", Kind.DATE, "Price locked until"),
        ),
        *_fields(
            "renewal",
            ("due_on", Kind.DATE, "Due on"),
            ("near_on", Kind.DATE, "Day near the decision"),
            ("owner", Kind.USER, "Owner of the renewal (email)"),
            ("baseline_amount", Kind.AMOUNT, "Baseline amount"),
            ("forecast_amount", Kind.AMOUNT, "Forecast amount", OF_THE_REP),
            ("final_amount", Kind.AMOUNT, "Final amount"),
            ("offer", Kind.OFFER, "Offer", OF_THE_REP),
            ("stage", Kind.STAGE, "Stage", OF_THE_REP),
            ("confidence", Kind.COUNT, "Confidence in %", {**OF_THE_REP, "lowest": 0, "highest": 100}),
            ("expected_order_on", Kind.DATE, "Expected order", OF_THE_REP),
            ("outcome", Kind.OUTCOME, "Outcome"),
            ("ordered_on", Kind.DATE, "Ordered on"),
            ("declined_on", Kind.DATE, "Declined on"),
            ("churn_reason", Kind.CHURN_REASON, "Churn reason"),
            ("next_step", Kind.TEXT, "Next step", {**OF_THE_REP, "length": 200}),
            ("next_step_on", Kind.DATE, "Next step on", OF_THE_REP),
        ),
        *_fields(
            "signal",
            ("id", Kind.KEY, "Id of the row", {"length": 80}),
            ("measured_on", Kind.DATE, "Measured on"),
            ("usage_change_rate", Kind.NUMBER, "Product usage"),
            ("seat_change_rate", Kind.NUMBER, "Change of seats"),
            ("login_change_rate", Kind.NUMBER, "Change of logins"),
            ("sentiment_score", Kind.NUMBER, "Sentiment, 1 to 5", {"lowest": 1, "highest": 5}),
            ("severe_ticket_count", Kind.COUNT, "Severe tickets", {"lowest": 0, "highest": 2**31 - 1}),
            ("reopened_ticket_rate", Kind.NUMBER, "Tickets reopened", {"lowest": 0, "highest": 1}),
            ("csat_score", Kind.NUMBER, "CSAT, 1 to 5", {"lowest": 1, "highest": 5}),
            ("nps_score", Kind.NUMBER, "NPS, -100 to 100", {"lowest": -100, "highest": 100}),
            ("late_payment_days", Kind.NUMBER, "Days late in paying", {"lowest": 0}),
            ("failed_payment_count", Kind.COUNT, "Failed payments", {"lowest": 0, "highest": 2**31 - 1}),
            ("chargeback_count", Kind.COUNT, "Chargebacks", {"lowest": 0, "highest": 2**31 - 1}),
            ("has_champion_left", Kind.FLAG, "Champion left"),
            ("last_touch_on", Kind.DATE, "Last touch"),
        ),
        *_fields(
            "payment",
            ("id", Kind.KEY, "Id of the payment", {"length": 80}),
            ("due_on", Kind.DATE, "Payment due on"),
            ("settled_on", Kind.DATE, "Settled on"),
            ("has_failed", Kind.FLAG, "Failed"),
            ("is_charged_back", Kind.FLAG, "Charged back"),
        ),
        *_fields(
            "ticket",
            ("id", Kind.KEY, "Id of the ticket", {"length": 80}),
            ("category", Kind.CATEGORY, "Category"),
            ("severity", Kind.SEVERITY, "Severity"),
            ("opened_on", Kind.DATE, "Opened on"),
            ("resolved_on", Kind.DATE, "Resolved on"),
            ("reopened_count", Kind.COUNT, "Times reopened", DAYS),
            ("reporter", Kind.TEXT, "Reporter", {"length": 120}),
            ("satisfaction_score", Kind.NUMBER, "Satisfaction, 1 to 5", {"lowest": 1, "highest": 5}),
            ("subject", Kind.TEXT, "Subject", {"length": 200}),
            ("theme", Kind.TEXT, "Theme", {"length": 80}),
        ),
        *_fields(
            "invoice",
            ("id", Kind.KEY, "Id of the invoice", {"length": 80}),
            ("amount", Kind.AMOUNT, "Amount"),
            ("currency", Kind.CURRENCY, "Currency"),
            ("due_on", Kind.DATE, "Invoice due on"),
            ("settled_on", Kind.DATE, "Invoice settled on"),
            ("has_failed", Kind.FLAG, "Payment failed"),
            ("is_disputed", Kind.FLAG, "Disputed"),
            ("is_charged_back", Kind.FLAG, "Invoice charged back"),
        ),
        *_fields(
            "touch",
            ("id", Kind.KEY, "Id of the touch", {"length": 80}),
            ("kind", Kind.TOUCH_KIND, "Kind of touch"),
            ("happened_on", Kind.DATE, "Day of the touch"),
            ("author", Kind.USER, "Who was in touch (email)"),
            ("note", Kind.TEXT, "What came of it", {"length": 4000}),
            ("next_touch_on", Kind.DATE, "Next touch"),
        ),
        *_fields(
            "contact",
            ("name", Kind.TEXT, "Name of the contact", {"length": 120}),
            ("email", Kind.TEXT, "Email of the contact", {"length": 254}),
            ("role", Kind.TEXT, "Role", {"length": 80}),
            ("phone", Kind.TEXT, "Phone", {"length": 40}),
            ("is_champion", Kind.FLAG, "Champion"),
            ("is_unmailed", Kind.FLAG, "Wants no mail"),
            ("left_on", Kind.DATE, "Left on"),
        ),
    ]
}

# What a row of a file can be, the holders it may fill, and what has to be mapped: one of each group.
ROW_KINDS: dict[str, str] = {
    "accounts": "Accounts",
    "contracts": "Contracts and their renewals",
    "renewals": "News of renewals that are in the book",
    "signals": "Signals of accounts",
    "payments": "Payments of accounts, as signals",
    "tickets": "Support tickets",
    "invoices": "Invoices",
    "touches": "Touches: calls, mails, meetings",
    "contacts": "People of accounts",
}
HOLDERS: dict[str, tuple[str, ...]] = {
    "accounts": ("account",),
    "contracts": ("account", "contract", "renewal"),
    "renewals": ("account", "contract", "renewal"),
    "signals": ("account", "contract", "signal"),
    "payments": ("account", "payment"),
    "tickets": ("account", "ticket"),
    "invoices": ("account", "invoice"),
    "touches": ("account", "touch"),
    "contacts": ("account", "contact"),
}
ACCOUNT = ("account.external_id", "account.name")
MANDATORY: dict[str, tuple[tuple[str, ...], ...]] = {
    "accounts": (ACCOUNT,),
    "contracts": (
        ACCOUNT,
        ("contract.number",),
        ("contract.ends_on", "renewal.due_on", "contract.term_months"),
        ("contract.starts_on", "contract.term_months"),
        ("contract.currency",),
    ),
    "renewals": (("contract.number", *ACCOUNT), ("renewal.due_on", "renewal.near_on")),
    "signals": (("contract.number", *ACCOUNT), ("signal.measured_on",)),
    "payments": (ACCOUNT, ("payment.due_on",), ("payment.settled_on",)),
    "tickets": (ACCOUNT, ("ticket.id",), ("ticket.opened_on",)),
    "invoices": (
        ACCOUNT,
        ("invoice.id",),
        ("invoice.amount",),
        ("invoice.currency",),
        ("invoice.due_on",),
    ),
    "touches": (ACCOUNT, ("touch.id",), ("touch.kind",), ("touch.happened_on",)),
    "contacts": (ACCOUNT, ("contact.name",)),
}
# Rows of these kinds tell of an account that is there already, unless the mapping says that a new one is made.
OF_KNOWN_ACCOUNTS = ("tickets", "invoices", "touches", "contacts")
WITHOUT_ATTRIBUTES = ("signals", "payments", *OF_KNOWN_ACCOUNTS)
MEASURES = tuple(
    field.name for field in FIELDS.values() if field.holder == "signal" and field.name not in ("id", "measured_on")
)


def fields_of(rows: str) -> list[Field]:
    """The fields that a row of this kind may fill, in the order people are shown them."""
    return [field for field in FIELDS.values() if field.holder in HOLDERS[rows]]
