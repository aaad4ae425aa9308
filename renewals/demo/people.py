"""The demo's teams and users, four of whom can sign in."""

from __future__ import annotations

import json
import os
import secrets
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from django.contrib.auth.hashers import make_password

from accounts.models import Team, User
from renewals.demo import profile
from renewals.demo.desk import Reps
from renewals.demo.names import person_names

DOMAIN = "demo.example"


@dataclass(frozen=True)
class SignIn:
    role: str
    email: str
    password: str


@dataclass(frozen=True)
class People:
    rep_keys: list[int]  # in the order of Reps
    sign_ins: list[SignIn]


def create_people(rng: np.random.Generator, reps: Reps) -> People:
    """Teams by theatre, a manager for each, the reps; and one user of each role with a password made just now."""
    theatres = reps.theatre.tolist()
    names = person_names(rng, 2 * len(theatres) + 8)
    teams = _create_teams(theatres)
    sign_ins = [
        SignIn(role, f"{role}@{DOMAIN}", secrets.token_urlsafe(12)) for role in ("admin", "manager", "rep", "viewer")
    ]
    passwords = {sign_in.role: make_password(sign_in.password) for sign_in in sign_ins}
    first_team = teams[0][0]
    users = [
        User(email=f"admin@{DOMAIN}", name=names[0], role="admin", password=passwords["admin"]),
        User(
            email=f"viewer@{DOMAIN}", name=names[1], role="viewer", team=first_team, password=passwords["viewer"],
            sees_whole_book=True,
        ),
    ]  # fmt: skip
    for number, team in enumerate(team for group in teams.values() for team in group):
        is_demo = team == first_team
        email = f"manager@{DOMAIN}" if is_demo else f"manager.{number + 1}@{DOMAIN}"
        password = passwords["manager"] if is_demo else make_password(None)
        users.append(User(email=email, name=names[2 + number], role="manager", team=team, password=password))
    rep_users = []
    dealt: dict[int, int] = defaultdict(int)
    for number, theatre in enumerate(theatres):
        team = teams[theatre][dealt[theatre] % len(teams[theatre])]
        dealt[theatre] += 1
        email = f"rep@{DOMAIN}" if number == 0 else f"rep.{number + 1}@{DOMAIN}"
        password = passwords["rep"] if number == 0 else make_password(None)
        name = names[len(users) + number]
        is_active = not bool(reps.has_left[number])
        rep_users.append(User(email=email, name=name, role="rep", team=team, password=password, is_active=is_active))
    User.objects.bulk_create(users)
    return People([user.pk for user in User.objects.bulk_create(rep_users)], sign_ins)


def _create_teams(theatres: list[int]) -> dict[int, list[Team]]:
    """About a dozen reps to a team; a theatre with one team gives it its name."""
    teams: dict[int, list[Team]] = {}
    for code, theatre in enumerate(profile.THEATRES):
        count = max(1, round(theatres.count(code) / profile.REPS_PER_TEAM))
        teams[code] = [
            Team.objects.get_or_create(name=theatre if count == 1 else f"{theatre} {number}")[0]
            for number in range(1, count + 1)
        ]
    return teams


def write_sign_ins(path: Path, sign_ins: list[SignIn]) -> None:
    """Readable by the installation's user only, from the first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump([asdict(sign_in) for sign_in in sign_ins], file, indent=2)
        file.write("\n")
