"""Who: the company, its users and teams; its customers; and what is known of them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.functions import TransactionNow
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from config.history import track_history
from config.instances import read_instance

CURRENCY = RegexValidator(r"^[A-Z]{3}$", "A currency is three capital letters, such as EUR.")


@track_history(exclude=("rules_version",))
class Company(models.Model):
    """The one company that runs this installation; exactly one row, made by the first migration."""

    class Attribution(models.TextChoices):
        DUE_PERIOD = "due_period", "Due period"
        ORDER_PERIOD = "order_period", "Order period"
        HYBRID = "hybrid", "Hybrid"

    class Horizon(models.IntegerChoices):
        DAYS_90 = 90, "90 days before the decision"
        DAYS_60 = 60, "60 days before the decision"
        DAYS_30 = 30, "30 days before the decision"
        DAYS_0 = 0, "The day before the decision"

    name = models.CharField(max_length=120, default="Our company")
    time_zone = models.CharField(max_length=64, default="UTC")
    fiscal_year_start_month = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    reporting_currency = models.CharField(max_length=3, default="EUR", validators=[CURRENCY])
    attribution = models.CharField(max_length=12, choices=Attribution, default=Attribution.DUE_PERIOD)
    # How many days before its decision a renewal is looked at when the likelihood is learned from it.
    likelihood_horizon_days = models.PositiveSmallIntegerField(choices=Horizon, default=Horizon.DAYS_30)
    # Grows by one whenever a rule that scoring reads is saved; processes compare it before they trust what they cached.
    rules_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name_plural = "company"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="company_is_one_row"),
            models.CheckConstraint(
                condition=Q(fiscal_year_start_month__gte=1, fiscal_year_start_month__lte=12),
                name="company_fiscal_month",
                violation_error_message="The fiscal year starts in a month from 1 to 12.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def today(self, now: dt.datetime | None = None) -> dt.date:
        """The business date: the calendar day it is now where the company works."""
        return (now or timezone.now()).astimezone(zoneinfo.ZoneInfo(self.time_zone)).date()


def get_company() -> Company:
    company = read_instance(Company, "id = %s", [1])
    if company is None:
        raise Company.DoesNotExist
    return company


@track_history()
class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=User.Role.ADMIN, is_superuser=True, **fields)


@track_history(exclude=("password", "last_login"))
class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in.

    What they see: an admin, or anybody with `sees_whole_book`, every row; anybody else the rows of their team; a person
    without a team their own. What they edit: a rep what they own, a manager what their team owns, an admin all, a
    viewer nothing.
    """

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        MANAGER = "manager", "Manager"
        REP = "rep", "CS rep"
        VIEWER = "viewer", "Viewer"

    email = models.EmailField(unique=True, error_messages={"unique": "Somebody already signs in with this email."})
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=8, choices=Role, default=Role.VIEWER)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members")
    sees_whole_book = models.BooleanField(default=False, help_text="Sees every team's rows; editing is not widened.")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(role="manager") | Q(team__isnull=False),
                name="user_manager_has_team",
                violation_error_message="A manager needs a team.",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    @property
    def sees_all(self) -> bool:
        return self.is_admin or self.sees_whole_book


@track_history()
class Segment(models.Model):
    name = models.CharField(max_length=60, unique=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


@track_history()
class Industry(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "industries"

    def __str__(self) -> str:
        return self.name


@track_history()
class ExchangeRate(models.Model):
    """Units of the reporting currency for one unit of `currency`, from a day on. The reporting currency itself is 1."""

    currency = models.CharField(max_length=3, validators=[CURRENCY])
    effective_on = models.DateField()
    rate = models.DecimalField(max_digits=18, decimal_places=8)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["currency", "-effective_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["currency", "effective_on"],
                name="exchange_rate_once_a_day",
                violation_error_message="This currency already has a rate from that day.",
            ),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="exchange_rate_positive", violation_error_message="A rate is above 0."
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.rate} from {self.effective_on}"


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> AccountQuerySet:
        """Accounts a user may know of: those of their scope, by the account's owner or any of its renewals' owners."""
        if user.sees_all:
            return self
        owners = owners_visible_to(user)
        return self.filter(Q(owner__in=owners) | Q(renewals__owner__in=owners)).distinct()


def owners_visible_to(user: User) -> models.QuerySet[User]:
    """The owners whose rows a user sees; only asked for users who do not see all."""
    if user.team_id is None:
        return User.objects.filter(pk=user.pk)
    return User.objects.filter(team_id=user.team_id)


@track_history()
class Account(models.Model):
    """A customer organisation."""

    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=80, blank=True, help_text="Its id in the system it was imported from.")
    # A segment is a large share of the book, which no index helps to find.
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts", db_index=False
    )
    industry = models.ForeignKey(Industry, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    region = models.CharField(max_length=60, blank=True)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_accounts", db_index=False
    )
    family = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", db_index=False
    )
    customer_since_on = models.DateField(null=True, blank=True)
    last_touch_on = models.DateField(null=True, blank=True)
    attributes = models.JSONField(default=dict, blank=True, help_text="Values of the custom attributes, by key.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="account_external_id_once"
            ),
            models.CheckConstraint(condition=~Q(family=F("pk")), name="account_not_its_own_family"),
            models.CheckConstraint(condition=~Q(name=""), name="account_has_name"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="account_name_id"),
            # What is often blank is indexed only where it is not.
            models.Index(
                fields=["last_touch_on", "id"], name="account_last_touch", condition=Q(last_touch_on__isnull=False)
            ),
            models.Index(fields=["owner"], name="account_owner", condition=Q(owner__isnull=False)),
            models.Index(fields=["family"], name="account_family", condition=Q(family__isnull=False)),
            # Search by the beginnings of words, without reading the book; needs no extension.
            GinIndex(SearchVector("name", "external_id", config="simple"), name="account_search"),
        ]

    def __str__(self) -> str:
        return self.name


class AttributeDefinition(models.Model):
    """A custom attribute that an import brings: any column an admin wants to keep, and perhaps weigh as risk."""

    class Kind(models.TextChoices):
        NUMBER = "number", "Number"
        CATEGORY = "category", "Category"
        DATE = "date", "Date"
        FLAG = "flag", "Yes or no"

    class Holder(models.TextChoices):
        ACCOUNT = "account", "Account"
        RENEWAL = "renewal", "Renewal"

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind)
    holder = models.CharField(max_length=8, choices=Holder, default=Holder.ACCOUNT)
    # An account's attribute that no outcome changes: where history does not reach back to a decision, the likelihood is
    # learned from the value of today. One that is known only with the outcome must not be steady.
    is_steady = models.BooleanField(default=True)

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


@track_history()
class AccountSignal(models.Model):
    """What was measured about an account on a day: one row per account and day, a blank where nothing was measured.

    The newest non-blank value on or before a day is the account's state on that day. Rows are facts with a date and are
    never moved, so that a decided renewal can be judged by what was known before its decision.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signals")
    measured_on = models.DateField()
    usage_change_rate = models.FloatField(null=True, blank=True)  # use against the 90 days before: -0.3 is a fall
    seat_change_rate = models.FloatField(null=True, blank=True)
    severe_ticket_count = models.PositiveIntegerField(null=True, blank=True)  # severe ones open on the day
    reopened_ticket_rate = models.FloatField(null=True, blank=True)  # 0 to 1, of those resolved
    csat_score = models.FloatField(null=True, blank=True)  # 1 to 5
    nps_score = models.FloatField(null=True, blank=True)  # -100 to 100
    late_payment_days = models.FloatField(null=True, blank=True)  # mean days late of settled invoices
    failed_payment_count = models.PositiveIntegerField(null=True, blank=True)
    chargeback_count = models.PositiveIntegerField(null=True, blank=True)
    has_champion_left = models.BooleanField(null=True, blank=True)
    last_touch_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "measured_on"], name="account_signal_once_a_day"),
            models.CheckConstraint(
                condition=Q(csat_score__isnull=True) | Q(csat_score__gte=1, csat_score__lte=5),
                name="account_signal_csat",
                violation_error_message="CSAT is from 1 to 5.",
            ),
            models.CheckConstraint(
                condition=Q(nps_score__isnull=True) | Q(nps_score__gte=-100, nps_score__lte=100),
                name="account_signal_nps",
                violation_error_message="NPS is from -100 to 100.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} on {self.measured_on}"
