"""A generated book in which every row is in order, if only just, and faults of each kind to put into it."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from random import Random

from accounts.models import Account, Segment, User
from renewals.models import Contract, DataRule, Offer, Renewal, Stage
from tests.cast import Cast

AS_OF = dt.date(2026, 11, 21)
DAY = dt.timedelta(days=1)
# No two of these fold to the same key.
STEMS = ("Aldgate", "Brightwater", "Calder", "Dalwood", "Elstead", "Fjord", "Galax", "Halden", "Isterura", "Juniper")
TRADES = ("Analytics", "Biotech", "Capital", "Dental", "Energy", "Freight", "Grid", "Hotels", "Insurance", "Journals")
TOWNS = ("North", "South", "East", "West", "Upper", "Lower", "New", "Old")
FORMS = ("GmbH", "Ltd", "Inc.", "S.A.", "AG", "LLC", "BV", "plc", "")


def clean_names(count: int, random: Random) -> list[str]:
    stems = [f"{town} {stem} {trade}" for town in TOWNS for stem in STEMS for trade in TRADES]
    return [f"{stem} {random.choice(FORMS)}".strip() for stem in random.sample(stems, count)]


def clean_book(cast: Cast, *, count: int, seed: int) -> list[Renewal]:
    """Open, renewed and lost renewals of as many accounts, none of which breaks a rule that ships."""
    random = Random(seed)
    owners = [cast.rep, cast.team_mate, cast.outsider]
    segment, _ = Segment.objects.get_or_create(name="Enterprise")
    offer, _ = Offer.objects.get_or_create(name="Platform")
    stages = list(Stage.objects.all())
    accounts = Account.objects.bulk_create(
        Account(name=name, external_id=f"B-{place}", segment=segment, owner=random.choice(owners))
        for place, name in enumerate(clean_names(count, random))
    )
    dues = [AS_OF + random.randint(0, 400) * DAY for _ in range(count)]
    outcomes = random.choices(["open", "renewed", "lost"], [3, 1, 1], k=count)
    dues = [due if outcome == "open" else due - 401 * DAY for due, outcome in zip(dues, outcomes, strict=True)]
    contracts = Contract.objects.bulk_create(
        Contract(
            account=account,
            number=f"C-{place}",
            starts_on=due - 364 * DAY,
            ends_on=due,
            currency="EUR",
            recurring_amount=Decimal(1000),
            uplift_cap_rate=random.choice([None, Decimal("0.0500"), Decimal("0.0333")]),
        )
        for place, (account, due) in enumerate(zip(accounts, dues, strict=True))
    )
    return Renewal.objects.bulk_create(
        clean_renewal(contract, outcome, random, random.choice(stages), offer)
        for contract, outcome in zip(contracts, outcomes, strict=True)
    )


def clean_renewal(contract: Contract, outcome: str, random: Random, stage: Stage, offer: Offer) -> Renewal:
    """Some values stand exactly on a limit, so that a rule that asks one too many is found out."""
    baseline = Decimal(random.randint(100, 90_000)) + Decimal(random.randint(0, 99)) / 100
    cap = contract.uplift_cap_rate or Decimal("0.2")
    far = random.choice([-30, 0, 30])
    usual = stage.default_confidence
    values = {
        "open": {
            "forecast_amount": round(baseline * (1 + cap), 2),
            "confidence": usual + far if 0 <= usual + far <= 100 else usual,
            "next_step": "Call",
            "next_step_on": AS_OF - random.choice([14, 0, -5]) * DAY,
            "expected_order_on": contract.ends_on,
        },
        "renewed": {
            "forecast_amount": None,
            "confidence": 0,
            "final_amount": baseline,
            "ordered_on": random.choice([contract.starts_on, AS_OF, contract.ends_on]),
        },
        "lost": {"forecast_amount": None, "final_amount": Decimal(0), "declined_on": contract.ends_on},
    }[outcome]
    if outcome != "open":
        values["ordered_on" if outcome == "renewed" else "declined_on"] = min(contract.ends_on, AS_OF)
    return Renewal(
        contract=contract,
        account=contract.account,
        owner=contract.account.owner,
        stage=stage,
        offer=offer if outcome == "open" else None,
        due_on=contract.ends_on,
        currency="EUR",
        baseline_amount=baseline,
        outcome=outcome,
        **values,
    )


# What puts a row out of order, by the condition of the rule that has to find it. Each is given an open renewal.


def leave(renewal: Renewal, **values: object) -> None:
    Renewal.objects.filter(pk=renewal.pk).update(**values)


def _gone(renewal: Renewal) -> User:
    user, _ = User.objects.get_or_create(email="gone@example.com", name="Gus Gone", role="rep", is_active=False)
    return user


def _impossible(renewal: Renewal, kind: int) -> None:
    starts_on = renewal.contract.starts_on
    match kind % 4:
        case 0:
            leave(renewal, outcome="renewed", ordered_on=AS_OF + DAY, final_amount=1, expected_order_on=None)
        case 1:
            leave(renewal, expected_order_on=starts_on - DAY)
        case 2:
            leave(renewal, notice_days=400)
        case _:
            leave(renewal, outcome="lost", declined_on=starts_on - DAY, final_amount=0)


def _missing(renewal: Renewal, kind: int) -> None:
    if kind % 2:
        leave(renewal, outcome="lost", declined_on=None, final_amount=0)
    else:
        Contract.objects.filter(pk=renewal.contract_id).update(is_term_assumed=True)


def _confidence(renewal: Renewal, kind: int) -> None:
    usual = renewal.stage.default_confidence
    leave(renewal, confidence=usual - 31 if usual > 50 else usual + 31)


def _above_cap(renewal: Renewal, kind: int) -> None:
    Contract.objects.filter(pk=renewal.contract_id).update(uplift_cap_rate=Decimal("0.0333"))
    leave(renewal, forecast_amount=round(renewal.baseline_amount * Decimal("1.0333"), 2) + Decimal("0.01"))


Kind = DataRule.Condition
FAULTS: dict[str, Callable[[Renewal, int], None]] = {
    "Impossible dates": _impossible,
    "Missing dates": _missing,
    "Overdue without an outcome": lambda renewal, kind: leave(renewal, due_on=AS_OF - (1 + kind) * DAY),
    "Confidence contradicts the stage": _confidence,
    "No forecast amount": lambda renewal, kind: leave(renewal, forecast_amount=None, due_on=AS_OF + 180 * DAY),
    "No offer": lambda renewal, kind: leave(renewal, offer=None, due_on=AS_OF + 90 * DAY),
    "No owner, or one who left": lambda renewal, kind: leave(renewal, owner=_gone(renewal) if kind % 2 else None),
    "Forecast above the uplift cap": _above_cap,
    "Stale next step": lambda renewal, kind: leave(renewal, next_step_on=AS_OF - (15 + kind) * DAY),
    "Currency missing or without a rate": lambda renewal, kind: leave(renewal, currency=("XAF", "")[kind % 2]),
}
