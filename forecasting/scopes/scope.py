"""Whose forecast a page shows: read from its address, never wider than what the reader may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from typing import Final, NamedTuple, TypeVar
from urllib.parse import quote_plus

from django.apps import apps
from django.db.models import Model, QuerySet
from django.http import Http404
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString

from accounts.models import Account, Industry, Segment, Team, User
from forecasting.models import ForecastLine
from renewals.table.groups import BOOKINGS

Grain = ForecastLine.Grain
M = TypeVar("M", bound=Model)
CURRENCY_LENGTH: Final = 3
MENU_ITEM: Final = '<a class="p-menu-item" href="{}">{}</a>'
BETWEEN: Final = "\0"  # what no text of the database and no address has


# Of what a page may show a part alone, beside whose it is: what else the rows of its figures say.
SLICES: Final = ("region", "industry", "currency", "booking")


def address_of(name: str, query: Mapping[str, object]) -> str:
    """The address of a page without parts of its own, with a query; a list is a parameter for each. A page of charts
    has a thousand of these, over and over of the same few words."""
    pairs = [
        f"{parameter}={_quoted(str(one))}"
        for parameter, value in query.items()
        for one in (value if isinstance(value, (list, tuple)) else (value,))
    ]
    path = _path(name, get_script_prefix())
    return f"{path}?{'&'.join(pairs)}" if pairs else path


@lru_cache(maxsize=64)
def _path(name: str, script_prefix: str) -> str:
    return reverse(name)


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote_plus(text)


@dataclass(frozen=True)
class Slice:
    """What accounts of a region or an industry have, what is sold in a currency, what is booked as one type (each
    renewal is of one, as the groups of the table have it); all of it where these are blank."""

    region: str = ""
    industry: Industry | None = None
    currency: str = ""
    booking: str = ""

    def __bool__(self) -> bool:
        return bool(self.region or self.industry or self.currency or self.booking)

    @property
    def is_of_accounts(self) -> bool:
        """Whether it says nothing but whose accounts these are."""
        return not (self.currency or self.booking)


@dataclass(frozen=True)
class Scope:
    """A team or an owner, or the whole book where both are None; one segment, or all of them where that is None.

    `slice` is a part of that, on pages whose figures can be made of some rows alone.

    `chosen` is what the address says, as a query; a reader's own bounds (their team, themselves) are not in it.
    """

    grain: str
    team: Team | None = None
    owner: User | None = None
    segment: Segment | None = None
    chosen: dict[str, str] = field(default_factory=dict)
    page: str = "forecasting:overview"
    kept: dict[str, str] = field(default_factory=dict)  # of the page's own choices, which its links keep
    slice: Slice = field(default_factory=Slice)

    @property
    def is_of_all(self) -> bool:
        """Whether it is the whole book: never that of a reader who sees a part of it."""
        return not (self.team or self.owner or self.segment or self.slice)

    @property
    def line_key(self) -> dict[str, int | None]:
        """The columns of ForecastLine that name this scope; an owner's line does not name the team."""
        return {
            "team_id": self.team.pk if self.team and not self.owner else None,
            "owner_id": self.owner.pk if self.owner else None,
            "segment_id": self.segment.pk if self.segment else None,
        }

    def url(self, **changes: str | None) -> str:
        """The address of this page with some of its choices changed; None takes one away."""
        kept = {name: value for name, value in {**self.query, **changes}.items() if value}
        return address_of(self.page, kept)

    @property
    def query(self) -> dict[str, str]:
        return {**({"by": self.grain} if self.grain != Grain.QUARTER else {}), **self.chosen, **self.kept}

    def rows_url(self, **filters: object) -> str:
        """The rows behind a figure: the renewals table, filtered. Approved exceptions are in no figure."""
        query = {**filters, **self.chosen, "excluded": "no"}
        return address_of("renewals:table", query)


class Choice(NamedTuple):
    label: str
    url: str


@dataclass(frozen=True)
class Pill:
    """A filter: what it is set to, where it leads when taken away, and what else could be chosen."""

    label: str
    value: str = ""
    clear_url: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def menu(self) -> SafeString:
        """The links to all that could be chosen: of hundreds, a template takes ten times as long over each, and to
        escape each by itself as long as all the rest."""
        labels_and_urls = (escape(BETWEEN.join(texts)).split(BETWEEN) for texts in zip(*self.choices, strict=True))
        return SafeString("".join(MENU_ITEM.format(url, label) for label, url in zip(*labels_and_urls, strict=True)))


def get_scope(
    user: User,
    query: Mapping[str, str],
    *,
    page: str = "forecasting:overview",
    own: Sequence[str] = (),
    is_sliced: bool = False,
) -> Scope:
    """The scope that an address names, with its slice where the page can show one. 404 for what is not there or not
    the reader's to see."""
    grain = query.get("by") or Grain.QUARTER
    if grain not in Grain.values:
        raise Http404(f"A forecast is by month or by quarter, not by {grain!r}.")
    team = _chosen(Team.objects.all(), query, "team")
    owner = _chosen(User.objects.select_related("team"), query, "owner")
    segment = _chosen(Segment.objects.all(), query, "segment")
    if not user.sees_all:
        _refuse_strangers(user, team, owner)
    if team and owner and owner.team_id != team.pk:
        raise Http404(f"{owner} is not in the team {team}.")
    names = ("team", "owner", "segment", *(SLICES if is_sliced else ()))
    chosen = {name: query[name] for name in names if query.get(name)}
    part = _slice(query) if is_sliced else Slice()
    kept = {name: query[name] for name in own if query.get(name)}
    if not user.sees_all and not owner:
        team, owner = (user.team, None) if user.team_id else (None, user)
    return Scope(grain=grain, team=team, owner=owner, segment=segment, chosen=chosen, page=page, kept=kept, slice=part)


def _slice(query: Mapping[str, str]) -> Slice:
    region, currency = query.get("region", ""), query.get("currency", "")
    if region and ("\x00" in region or not _is_region(region, was=bool(query.get("as_at")))):
        raise Http404(f"There is no region {region!r}.")
    if currency and not (len(currency) == CURRENCY_LENGTH and currency.isascii() and currency.isupper()):
        raise Http404(f"A currency is three capital letters such as EUR, not {currency!r}.")
    booking = query.get("booking", "")
    if booking and booking not in BOOKINGS:
        raise Http404(f"A booking type is one of {', '.join(BOOKINGS)}, not {booking!r}.")
    return Slice(region, _chosen(Industry.objects.all(), query, "industry"), currency, booking)


def _is_region(region: str, *, was: bool) -> bool:
    """Whether any account has it, or, where a past moment is asked for, had it."""
    if Account.objects.filter(region=region).exists():
        return True
    events = apps.get_model("accounts", "AccountEvent")._default_manager
    return was and events.filter(region=region).exists()


def _chosen(rows: QuerySet[M], query: Mapping[str, str], name: str) -> M | None:
    """The row that the address names, if it names one."""
    text = query.get(name)
    if not text:
        return None
    # isdecimal also lets other scripts' digits pass, which int reads; a number past bigint is simply not there.
    found = rows.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    if found is None:
        raise Http404(f"There is no {name} {text!r}.")
    return found


def _refuse_strangers(user: User, team: Team | None, owner: User | None) -> None:
    if team and team.pk != user.team_id:
        raise Http404("Not your team.")
    if owner and owner.pk != user.pk and (user.team_id is None or owner.team_id != user.team_id):
        raise Http404("Not an owner of your team.")


def read_pills(user: User, scope: Scope) -> list[Pill]:
    """The filters of the page, their choices limited to what the reader sees."""
    segments = [(str(segment), str(segment.pk)) for segment in Segment.objects.all()]
    return [
        *_pills_of_people(user, scope),
        _pill(scope, "segment", "Segment", str(scope.segment) if scope.segment else "", segments),
    ]


def slice_pills(scope: Scope, *, regions: Sequence[str], currencies: Sequence[str]) -> list[Pill]:
    """The filters of a page that can show a part of its rows, with what there is to choose of."""
    part = scope.slice
    industries = [(str(industry), str(industry.pk)) for industry in Industry.objects.all()]
    bookings = [(text, one) for one, text in BOOKINGS.items()]
    return [
        _pill(scope, "region", "Region", part.region, [(one, one) for one in regions]),
        _pill(scope, "industry", "Industry", str(part.industry or ""), industries),
        _pill(scope, "currency", "Currency", part.currency, [(one, one) for one in currencies]),
        _pill(scope, "booking", "Booking type", BOOKINGS.get(part.booking, ""), bookings),
    ]


def _pills_of_people(user: User, scope: Scope) -> list[Pill]:
    owner = str(scope.owner) if scope.owner and "owner" in scope.chosen else ""
    owners = User.objects.exclude(role=User.Role.VIEWER)
    if not user.sees_all:
        if user.team_id is None:
            return [Pill("Owner", "you")]
        mates = _named(owners.filter(team_id=user.team_id))
        return [Pill("Team", str(user.team)), _pill(scope, "owner", "Owner", owner, mates)]
    teams = [(str(team), str(team.pk)) for team in Team.objects.all()]
    chosen_team = scope.team if "team" in scope.chosen else None
    if chosen_team:
        owners = owners.filter(team=chosen_team)
    everybody = _named(owners)
    return [
        # Another team's page does not keep the owner, who is not in it.
        _pill(scope, "team", "Team", str(chosen_team or ""), teams, also_clears="owner"),
        _pill(scope, "owner", "Owner", owner, everybody),
    ]


def _named(people: QuerySet[User]) -> list[tuple[str, str]]:
    """What each is called, and the id: a book has a hundred people, and nothing else of them is asked for."""
    return [(name or email, str(pk)) for name, email, pk in people.values_list("name", "email", "pk")]


def _pill(
    scope: Scope, name: str, label: str, value: str, options: list[tuple[str, str]], also_clears: str = ""
) -> Pill:
    cleared = scope.url(**dict.fromkeys((name, *([also_clears] if also_clears else [])), None))
    # Of hundreds of people each address is the same but for its end.
    start = f"{cleared}{'&' if '?' in cleared else '?'}{name}="
    choices = tuple(Choice(text, f"{start}{_quoted(key)}") for text, key in options)
    return Pill(label, value, cleared if value else "", choices)
