"""Faults of each kind, put into a book that is in order: every rule finds all of its own, and nothing else."""

from random import Random

import pytest

from accounts.models import Account
from renewals.models import AccountBreach, Contract, DataRule, Renewal, RenewalQuality
from renewals.quality.evaluate import evaluate_all, evaluate_renewals
from tests.cast import Cast
from tests.renewals.quality.book import AS_OF, DAY, FAULTS, clean_book

EACH = 20


def broken_by(name: str) -> set[int]:
    rule = DataRule.objects.get(name=name)
    return set(RenewalQuality.objects.filter(rule_ids__contains=[rule.pk]).values_list("pk", flat=True))


def inject(cast: Cast) -> dict[str, set[int]]:
    """The ids of the rows that break each rule; a fault in each of them, in rows of their own."""
    book = clean_book(cast, count=600, seed=11)
    # So that a due date which is moved into the past is still within its contract.
    open_rows = [renewal for renewal in book if renewal.outcome == "open" and renewal.due_on < AS_OF + 300 * DAY]
    random = Random(12)
    random.shuffle(open_rows)
    truth: dict[str, set[int]] = {}
    for name, fault in FAULTS.items():
        chosen, open_rows = open_rows[:EACH], open_rows[EACH:]
        for kind, renewal in enumerate(chosen):
            fault(renewal, kind)
        truth[name] = {renewal.pk for renewal in chosen}
    return truth


def test_clean_book_breaks_no_rule(cast: Cast) -> None:
    clean_book(cast, count=600, seed=11)
    assert evaluate_all(as_of=AS_OF).broken_count == 0
    assert AccountBreach.objects.count() == 0


@pytest.mark.parametrize("how", ["recompute", "edit"])
def test_every_rule_finds_all_of_its_faults_and_no_other_row(cast: Cast, how: str) -> None:
    truth = inject(cast)
    if how == "recompute":
        evaluate_all(as_of=AS_OF)
    else:
        evaluate_renewals(renewal_ids=list(Renewal.objects.values_list("pk", flat=True)), as_of=AS_OF)
    found = {name: broken_by(name) for name in truth}
    precision = {name: len(found[name] & truth[name]) / max(1, len(found[name])) for name in truth}
    recall = {name: len(found[name] & truth[name]) / EACH for name in truth}
    assert precision == dict.fromkeys(truth, 1.0)
    assert recall == dict.fromkeys(truth, 1.0)


def test_row_that_breaks_several_rules_names_each_and_the_worst_first(cast: Cast) -> None:
    (renewal,) = [row for row in clean_book(cast, count=40, seed=3) if row.outcome == "open" and row.due_on > AS_OF][:1]
    for name in ("Stale next step", "Confidence contradicts the stage", "Currency missing or without a rate"):
        FAULTS[name](renewal, 0)
    evaluate_all(as_of=AS_OF)
    quality = RenewalQuality.objects.get(pk=renewal.pk)
    names = dict(DataRule.objects.values_list("pk", "name"))
    assert [names[pk] for pk in quality.rule_ids] == [
        "Currency missing or without a rate",
        "Confidence contradicts the stage",
        "Stale next step",
    ]
    assert quality.worst_severity == DataRule.Severity.ERROR
    assert (quality.account_id, quality.due_on) == (renewal.account_id, renewal.due_on)


def test_contracts_that_ended_without_a_renewal_are_all_found(cast: Cast) -> None:
    book = clean_book(cast, count=100, seed=5)
    account = book[0].account

    def contract(number: str, ended_days_ago: int) -> Contract:
        ends_on = AS_OF - ended_days_ago * DAY
        return Contract.objects.create(
            account=account, number=number, starts_on=ends_on - 364 * DAY, ends_on=ends_on, currency="EUR",
            recurring_amount=500,
        )  # fmt: skip

    ended = {contract(f"E-{days}", days).pk for days in (1, 30, 700)}
    contract("RUNS-TO-TODAY", 0)
    contract("RUNS-ON", -30)
    evaluate_all(as_of=AS_OF)
    rule = DataRule.objects.get(condition="ended_without_renewal")
    found = set(AccountBreach.objects.filter(rule=rule).values_list("contract_id", flat=True))
    assert found == ended


# What people write for one customer, and whether folding names can know that it is the same.
VARIANTS = [
    (str.upper, True),
    (str.lower, True),
    (lambda name: f"{name} GmbH & Co. KG", True),
    (lambda name: f"{name}, Ltd.", True),
    (lambda name: f"The {name} Inc", True),
    (lambda name: name.replace(" ", "  ").replace("e", "é", 1), True),
    (lambda name: name.replace(" ", "-"), True),
    (lambda name: f"{name} S.A.", True),
    (lambda name: name[:4] + name[5:], False),  # a letter lost
    (lambda name: " ".join(reversed(name.split())), False),
]


def test_duplicate_accounts_by_precision_and_recall(cast: Cast) -> None:
    """Of other spellings all are found; of ten ways to write a name two are beyond it: letters lost, words turned."""
    book = clean_book(cast, count=400, seed=21)
    random = Random(22)
    bare = [(row.account, " ".join(row.account.name.split()[:3])) for row in random.sample(book, 100)]
    knowable: set[int] = set()
    truth: set[int] = set()
    for place, (account, name) in enumerate(bare):
        spell, is_knowable = VARIANTS[place % len(VARIANTS)]
        twin = Account.objects.create(name=spell(name), external_id=f"D-{place}")
        truth |= {account.pk, twin.pk}
        knowable |= {account.pk, twin.pk} if is_knowable else set()
    # Two firms that differ in their legal form only look alike and are not; a family may share a name.
    Account.objects.create(name="Nordlicht AG", external_id="N-1")
    Account.objects.create(name="Nordlicht Ltd", external_id="N-2")
    head = Account.objects.create(name="Polaris Inc", external_id="P-1")
    Account.objects.create(name="Polaris GmbH", external_id="P-2", family=head)
    evaluate_all(as_of=AS_OF)
    rule = DataRule.objects.get(condition="duplicate_account")
    found = set(AccountBreach.objects.filter(rule=rule).values_list("account_id", flat=True))
    assert found & knowable == knowable
    assert len(found & truth) / len(found) >= 0.98  # precision
    assert len(found & truth) / len(truth) == 0.8  # recall
