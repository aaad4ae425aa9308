"""The kinds of rows whose history is kept, and how their columns are called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

from django.db.models import Field, ForeignKey, Model, QuerySet

from accounts.models import (
    Account,
    AccountSignal,
    AttributeDefinition,
    Company,
    Contact,
    ExchangeRate,
    Industry,
    Invoice,
    Segment,
    Team,
    Ticket,
    Touch,
    User,
)
from renewals.forms import LABELS as FORM_LABELS
from renewals.models import (
    ChurnReason,
    Contract,
    DataRule,
    Note,
    Offer,
    Override,
    Renewal,
    RiskFactor,
    SavedView,
    Stage,
    TimingPolicy,
    TimingPolicyVersion,
)
from renewals.table.columns import COLUMNS, EDITABLE

HangsOn = Literal["", "account", "renewal", "people"]
# What the clock or the database writes is no change that a person made.
NOT_TOLD = {"id", "created_at", "updated_at", "derived_measures"}
# What the customer decided: these columns make sense only together.
DECISION = ("outcome", "ordered_on", "declined_on", "final_amount", "churn_reason_id")
# What str() of a row reads besides the row.
READS: dict[type[Model], tuple[str, ...]] = {
    Renewal: ("account", "contract"),
    AccountSignal: ("account",),
    Touch: ("account",),
    Contract: ("account",),
    Note: ("author", "renewal__account", "renewal__contract"),
    Override: ("renewal__account", "renewal__contract"),
    TimingPolicy: ("account", "segment", "industry"),
    TimingPolicyVersion: ("policy__account", "policy__segment", "policy__industry"),
}
# The columns that a cell of the table stands for, where it is not the one of its name.
BEHIND = {"outcome": DECISION}
# A rep writes these, and what follows from writing them; the rest comes by import and belongs to managers and admins.
REP_COLUMNS = frozenset(
    {field.attname for field in Renewal._meta.concrete_fields if field.name in EDITABLE}
    | set(DECISION)
    | {"cross_sell_amount", "next_step_on"}
)


@dataclass(frozen=True)
class Kind:
    """One model with history. `code` names it in addresses, `noun` and `nouns` in sentences."""

    code: str
    model: type[Model]
    noun: str
    nouns: str
    rank: int  # where it stands among events of one batch; parents first
    is_rule: bool = False  # belongs to nobody: for those who see the whole book
    is_for_admins: bool = False
    # What a row hangs on by its column of that name, and is seen with; "people": those it is kept for (`visibility`).
    hangs_on: HangsOn = ""

    @cached_property
    def fields(self) -> dict[str, Field[Any, Any]]:
        """The columns that history keeps, by the name under which rows and events hold them."""
        kept = {field.name for field in self.event_model._meta.get_fields()}
        own = self.model._meta.concrete_fields
        return {field.attname: field for field in own if field.name in kept and field.name not in NOT_TOLD}

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.fields)

    @cached_property
    def event_model(self) -> type[Model]:
        return cast(type[Model], self.model._meta.get_field("events").related_model)

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def event_table(self) -> str:
        return self.event_model._meta.db_table

    def has(self, column: str) -> bool:
        return any(field.name == column for field in self.model._meta.concrete_fields)

    def foreign_keys(self) -> dict[str, type[Model]]:
        return {name: field.related_model for name, field in self.fields.items() if isinstance(field, ForeignKey)}

    def label(self, column: str) -> str:
        field = self.fields[column]
        if self.code == "renewal" and field.name in RENEWAL_LABELS:
            return RENEWAL_LABELS[field.name]
        return str(field.verbose_name).capitalize().removesuffix(" on")

    def editable_by(self, user: User) -> QuerySet[Any]:
        """The rows of this kind that a user may change, and so put back."""
        if self.code == "renewal":
            return Renewal.objects.editable_by(user)
        rows = self.model._default_manager.all()
        owner = OWNING_TEAM.get(self.code)
        if user.is_admin:
            return rows
        if user.role == User.Role.MANAGER and user.team_id is not None and owner:
            return rows.filter(**{owner: user.team_id})
        return rows.none()

    def visible_to(self, user: User) -> QuerySet[Any]:
        """The rows of this kind that a user may know of."""
        rows = self.model._default_manager.all()
        if self.is_rule:
            return rows if self.is_shown_to(user) else rows.none()
        if self.hangs_on == "renewal":
            return rows.filter(renewal__in=Renewal.objects.visible_to(user))
        if self.hangs_on == "account":
            return rows.filter(account__in=Account.objects.visible_to(user))
        return cast(QuerySet[Any], self.model.objects.visible_to(user))  # type: ignore[attr-defined]

    def is_shown_to(self, user: User) -> bool:
        """Whether the log tells this user of rows of this kind at all."""
        if self.is_for_admins:
            return user.is_admin
        return user.sees_all or not self.is_rule

    def writable_columns(self, user: User) -> frozenset[str]:
        if user.role in {User.Role.ADMIN, User.Role.MANAGER}:
            return frozenset(self.columns)
        return REP_COLUMNS if self.code == "renewal" else frozenset()


# Where a manager's team is found from a row.
OWNING_TEAM = {
    "account": "owner__team_id", "signal": "account__owner__team_id", "contract": "account__owner__team_id",
    "ticket": "account__owner__team_id", "invoice": "account__owner__team_id",
    "contact": "account__owner__team_id", "touch": "account__owner__team_id",
}  # fmt: skip
RENEWAL_LABELS = {
    **{name: str(column.verbose_name) for name, column in COLUMNS.items()},
    **FORM_LABELS,
    "next_step_on": "Next step due",
    "declined_on": "Declined",
    "cross_sell_amount": "Cross-sell",
    "is_excluded": "Exception",
    "excluded_reason": "Reason of the exception",
    "attributes": "Attributes",
}
RULES = tuple(
    Kind(code, model, noun, nouns, rank, is_rule=True, is_for_admins=model is User)
    for rank, (code, model, noun, nouns) in enumerate(
        (
            ("company", Company, "company", "company"),
            ("person", User, "person", "people"),
            ("team", Team, "team", "teams"),
            ("rate", ExchangeRate, "exchange rate", "exchange rates"),
            ("segment", Segment, "segment", "segments"),
            ("industry", Industry, "industry", "industries"),
            ("stage", Stage, "stage", "stages"),
            ("offer", Offer, "offer", "offers"),
            ("churn_reason", ChurnReason, "churn reason", "churn reasons"),
            ("attribute", AttributeDefinition, "custom attribute", "custom attributes"),
            ("risk_factor", RiskFactor, "risk factor", "risk factors"),
            ("data_rule", DataRule, "data rule", "data rules"),
            ("rule", TimingPolicyVersion, "timing rule", "timing rules"),
        )
    )
)
VIEW = Kind("view", SavedView, "saved view", "saved views", len(RULES), hangs_on="people")
_OTHERS: tuple[tuple[str, type[Model], HangsOn], ...] = (
    ("note", Note, "renewal"),
    ("override", Override, "renewal"),
    ("account", Account, ""),
    ("signal", AccountSignal, "account"),
    ("ticket", Ticket, "account"),
    ("invoice", Invoice, "account"),
    ("contact", Contact, "account"),
    ("touch", Touch, "account"),
    ("contract", Contract, ""),
    ("renewal", Renewal, ""),
)
NOTE, OVERRIDE, ACCOUNT, SIGNAL, TICKET, INVOICE, CONTACT, TOUCH, CONTRACT, RENEWAL = (
    Kind(code, model, code, f"{code}s", rank, hangs_on=hangs_on)
    for rank, (code, model, hangs_on) in enumerate(_OTHERS, start=len(RULES) + 1)
)
# What undo puts back, parents first. Rules are put back on their own pages, which show first what would change class.
UNDOABLE = (ACCOUNT, SIGNAL, TICKET, INVOICE, CONTACT, TOUCH, CONTRACT, RENEWAL)
KINDS = {kind.code: kind for kind in (*RULES, VIEW, NOTE, OVERRIDE, *UNDOABLE)}
# But for the names that an import added to a list, and the attributes that it defined, which go with it where nothing
# else has come to use them.
NAMES = tuple(KINDS[code] for code in ("segment", "industry", "offer", "churn_reason", "attribute"))


def add_kind(
    code: str,
    model: type[Model],
    noun: str,
    nouns: str,
    *,
    is_rule: bool = False,
    is_for_admins: bool = False,
    hangs_on: HangsOn = "",
    reads: tuple[str, ...] = (),
) -> Kind:
    """Tell the log, and the retention of history, of rows of an app above this one (in its `AppConfig.ready`).

    `reads`: the relations that str() of a row follows. Raises ValueError where the code is taken, or nothing would say
    who may know of the rows.
    """
    if code in KINDS:
        raise ValueError(f"There is a kind of rows called {code!r} already.")
    if is_rule == bool(hangs_on):
        raise ValueError(f"{code}: either a rule, or hanging on an account, a renewal or people.")
    rank = 1 + max(kind.rank for kind in KINDS.values())
    KINDS[code] = Kind(code, model, noun, nouns, rank, is_rule=is_rule, is_for_admins=is_for_admins, hangs_on=hangs_on)
    READS[model] = reads
    return KINDS[code]
