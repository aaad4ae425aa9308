"""Whose cards a reader sees: a rep their own and the team's average, a manager the team's, an admin everybody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.http import Http404

from accounts.models import Team, User
from dashboards.frame import Frame
from forecasting.scopes.scope import Scope


class Person(NamedTuple):
    """What a card says of somebody: a book has hundreds, and whole users take five times as long to read."""

    pk: int
    name: str
    team: Team | None

    @classmethod
    def of(cls, user: User) -> Person:
        return cls(user.pk, str(user), user.team)


@dataclass(frozen=True, eq=False)
class Group:
    """People who are looked at together: a team, those of no team, or everybody. Itself a key: its people are many."""

    name: str
    members: Sequence[Person]
    team: Team | None = None

    @classmethod
    def of_one(cls, person: Person) -> Group:
        return cls(person.name, [person])

    @cached_property
    def owner_ids(self) -> list[int]:
        return [member.pk for member in self.members]

    @property
    def whose(self) -> dict[str, str]:
        """The choice of an address that is about these people."""
        if self.team:
            return {"team": str(self.team.pk)}
        return {"owner": str(self.members[0].pk)} if len(self.members) == 1 else {}

    def chosen(self, scope: Scope) -> dict[str, str]:
        """The same in the segment and slice of a scope."""
        return self.whose | {name: value for name, value in scope.chosen.items() if name not in ("team", "owner")}


@dataclass(frozen=True)
class Shown:
    """`named` have cards of their own. `focus` is whose the page is about, in its six figures and its trend."""

    named: Sequence[Person]
    teams: Sequence[Group]
    everybody: Group
    focus: Group

    @property
    def looked_at(self) -> list[Group]:
        """Those whose trend is told, often one."""
        return list(dict.fromkeys([self.focus, self.everybody]))

    @property
    def is_of_one(self) -> bool:
        return len(self.focus.members) == 1

    def group_of(self, one: Group | Person) -> Group:
        """A team as it is, a person by themselves: the focus where the page is about them."""
        if isinstance(one, Group):
            return one
        return self.focus if self.focus.owner_ids == [one.pk] else Group.of_one(one)


def read_shown(frame: Frame) -> Shown:
    """404 of a card that is not the reader's to see."""
    user, scope = frame.user, frame.scope
    sees_cards = user.sees_all or user.role == User.Role.MANAGER
    if scope.owner and not sees_cards and scope.owner != user:
        raise Http404("Not your card.")
    team = scope.team or (scope.owner.team if scope.owner else None)
    people = _people(user, team, scope.owner)
    everybody = Group(str(team) if team else str(scope.owner) if scope.owner else "Everybody", people, team)
    named = [one for one in people if sees_cards or one.pk == user.pk]
    is_own = not sees_cards and any(one.pk == user.pk for one in people)
    own = scope.owner or (user if is_own else None)
    return Shown(named, _teams(people) if team is None and sees_cards else [], everybody, _focus(own, everybody))


def _focus(own: User | None, everybody: Group) -> Group:
    return Group.of_one(Person.of(own)) if own else everybody


def _people(user: User, team: Team | None, owner: User | None) -> list[Person]:
    """Who works renewals, by name; viewers work none. Somebody who left keeps what they did."""
    workers = User.objects.exclude(role=User.Role.VIEWER).order_by("name", "pk")
    if team:
        workers = workers.filter(team=team)
    elif owner:
        return [Person.of(owner)]
    elif not user.sees_all:
        workers = workers.filter(pk=user.pk)
    teams = {one.pk: one for one in Team.objects.all()}
    rows = workers.values_list("pk", "name", "email", "team")
    return [Person(pk, name or email, None if team_id is None else teams[team_id]) for pk, name, email, team_id in rows]


def _teams(people: Sequence[Person]) -> list[Group]:
    members: dict[int, list[Person]] = defaultdict(list)
    for one in people:
        if one.team is not None:
            members[one.team.id].append(one)
    teams = [Group(str(own[0].team), own, own[0].team) for own in members.values()]
    return sorted(teams, key=lambda team: team.name)


def credited_owners(scope: Scope) -> list[int]:
    """Whose cards make up a scope: its owner, who works in its team, or everybody who works renewals."""
    if scope.owner:
        return [scope.owner.pk]
    workers = User.objects.exclude(role=User.Role.VIEWER)
    return list((workers.filter(team=scope.team) if scope.team else workers).values_list("pk", flat=True))
