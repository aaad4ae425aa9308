"""Writes to playbooks. Each save is a new version; plans that run keep the one they were started with."""

from __future__ import annotations

from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.models import User
from config.history import recorded_as
from engagement.models.plans import Plan, PlanPass, Playbook, PlaybookStep, PlaybookVersion
from engagement.plans.drafts import PlaybookDraft, PlaybookRefused, Problem, check_playbook, draft_of
from forecasting.models import Run


class PlaybookChanged(Exception):
    """Somebody saved a newer version since the editor was opened. Nothing was written."""


def save_playbook(
    *, by: User, draft: PlaybookDraft, playbook_id: int | None = None, seen_version: int | None = None
) -> PlaybookVersion:
    """A new playbook, for use by hand at first, or the next version of one. What is there already is no new version.

    Raises:
        PlaybookRefused: something is wrong with it; it names step, field, value and reason.
        PlaybookChanged: `seen_version` is no longer the newest.
        PermissionDenied: only admins write playbooks.
    """
    _require_admin(by)
    draft = replace(draft, name=draft.name.strip())
    check_playbook(draft)
    try:
        with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
            playbook = _lock(playbook_id) if playbook_id else Playbook(kind=draft.kind)
            newest = playbook.versions.order_by("-number").first() if playbook.pk else None
            if newest and seen_version is not None and newest.number != seen_version:
                raise PlaybookChanged(f"Version {newest.number} of {playbook} was saved meanwhile.")
            if newest and playbook.kind != draft.kind:
                reason = "a playbook stays what it is; make a new one."
                raise PlaybookRefused([Problem(0, "kind", draft.kind, reason)])
            if newest and draft_of(newest) == draft:
                return newest
            if playbook.name != draft.name or not playbook.pk:
                playbook.name = draft.name
                playbook.save()
            version = _add_version(playbook, draft, by, newest.number + 1 if newest else 1)
            if playbook.use == Playbook.Use.RULE:
                _ask_rules_again()
            return version
    except IntegrityError as error:
        raise PlaybookRefused([Problem(0, "name", draft.name, "another playbook is called so.")]) from error


def _add_version(playbook: Playbook, draft: PlaybookDraft, by: User, number: int) -> PlaybookVersion:
    version = PlaybookVersion.objects.create(
        playbook=playbook, number=number, created_by=by,
        segment=draft.segment, risk_from=draft.risk_from, within_days=draft.within_days,
    )  # fmt: skip
    PlaybookStep.objects.bulk_create(
        PlaybookStep(version=version, number=place, **{name: getattr(step, name) for name in vars(step)})
        for place, step in enumerate(draft.steps, 1)
    )
    return version


def set_use(*, by: User, playbook_id: int, use: str) -> Playbook:
    """Let its rule start plans, or let it be for use by hand only, or not any more; plans that run go on."""
    _require_admin(by)
    if use not in Playbook.Use.values:
        raise ValueError(f"{use} is no use of a playbook.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        playbook = _lock(playbook_id)
        if playbook.use != use:
            playbook.use = use
            playbook.save(update_fields=["use"])
            _ask_rules_again()
    return playbook


def _ask_rules_again() -> None:
    """The rules are applied to the newest run once more: within a minute, and not only after the next one."""
    newest = Run.objects.latest_published()
    if newest is not None:
        PlanPass.objects.filter(run=newest).delete()


def delete_playbook(*, by: User, playbook_id: int) -> str:
    """One that no plan was ever run by; its name. Raises PlaybookRefused: some were."""
    _require_admin(by)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        playbook = _lock(playbook_id)
        count = Plan.objects.filter(version__playbook=playbook).count()
        if count:
            reason = f"{count:,} plan{' was' if count == 1 else 's were'} run by it; let it be used no more instead."
            raise PlaybookRefused([Problem(0, "name", playbook.name, reason)])
        playbook.delete()
    return playbook.name


def _require_admin(user: User) -> None:
    if not user.is_admin:
        raise PermissionDenied("An admin writes the playbooks.")


def _lock(playbook_id: int) -> Playbook:
    return Playbook.objects.select_for_update().get(pk=playbook_id)
