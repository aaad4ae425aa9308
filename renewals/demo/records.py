"""The generator's arrays as rows of the product's tables."""

from __future__ import annotations

import json

import numpy as np

from renewals.demo import profile, words
from renewals.demo.arrays import NONE, Ints, chance
from renewals.demo.book import Lines, Terms
from renewals.demo.customers import Customers
from renewals.demo.desk import Desk
from renewals.demo.names import customer_names
from renewals.demo.people import People
from renewals.demo.rules import Keys
from renewals.demo.signals import Signals
from renewals.demo.tables import NULL, Column, Table

# A contract is recorded so long before it starts, and its renewal opened so long before it is due.
SIGNED_DAYS = 12
OPENED_DAYS = 330
CURRENCIES = [region.currency for region in profile.REGIONS]


def accounts_table(
    rng: np.random.Generator,
    customers: Customers,
    terms: Terms,
    desk: Desk,
    owner: Ints,
    people: People,
    keys: Keys,
    first_account: int,
    *,
    now: str,
    yesterday: int,
) -> Table:
    count = len(customers)
    touched = np.full(count, NONE, dtype=np.int64)
    np.maximum.at(touched, terms.customer, desk.last_touch)
    recorded = customers.since.copy()
    np.minimum.at(recorded, terms.customer, terms.starts - SIGNED_DAYS)
    table = Table("accounts_account", count)
    table.put_numbers("id", first_account + np.arange(count))
    table.put_texts(
        "name",
        customer_names(
            rng,
            segment=customers.segment,
            industry=customers.industry,
            region=customers.region,
            public=profile.PUBLIC_SECTOR,
        ),
    )
    table.put_texts("external_id", [f"D-{number:06d}" for number in range(1, count + 1)])
    table.put_keys("segment_id", keys.segments, customers.segment)
    table.put_keys("industry_id", keys.industries, customers.industry)
    table.put_choices("region", [region.name for region in profile.REGIONS], customers.region)
    table.put_keys("owner_id", people.rep_keys, owner)
    table.put_numbers("family_id", np.where(customers.family == NONE, NONE, first_account + customers.family))
    table.put_days("customer_since_on", customers.since)
    table.put_days("last_touch_on", touched)
    table.put_choices("touch_model", ("low", "mid", "high"), _touch_models(customers))
    table.put_texts("attributes", _account_attributes(customers))
    table.put_days("created_at", np.minimum(recorded, yesterday))
    table.put_same("updated_at", now)
    return table


def _touch_models(customers: Customers) -> Ints:
    """By segment, as companies do it that never looked at value and risk; some by favour, some never set. Drawn by a
    hash of the customer's place, so that nothing else in the demo is drawn otherwise."""
    hashed = np.arange(len(customers)) * 2_654_435_761 % 1000
    usual = np.array([2, 1, 0, 1])[customers.segment]
    favoured = np.where(hashed < 120, (usual + 1) % 3, usual)
    return np.where(hashed >= 930, NONE, favoured)


def _account_attributes(customers: Customers) -> Column:
    """JSON texts; a value that is not known has no key."""
    rows = zip(customers.plan.tolist(), customers.integrations.tolist(), customers.is_reference.tolist(), strict=True)
    texts = []
    for plan, integrations, is_reference in rows:
        values: dict[str, str | int | bool] = {"is_reference": is_reference}
        if plan != NONE:
            values["support_plan"] = profile.SUPPORT_PLANS[plan]
        if integrations != NONE:
            values["integrations"] = integrations
        texts.append(json.dumps(values))
    return texts


def contracts_table(
    rng: np.random.Generator,
    customers: Customers,
    lines: Lines,
    terms: Terms,
    first_account: int,
    first_contract: int,
    *,
    now: str,
    yesterday: int,
) -> Table:
    count, line = len(terms), terms.line
    turn = np.arange(count) - np.searchsorted(line, line)
    setup = np.where((turn == 0) & (rng.random(count) < 0.12), np.round(terms.baseline * 0.08, -1), 0.0)
    table = Table("renewals_contract", count)
    table.put_numbers("id", first_contract + np.arange(count))
    table.put_numbers("account_id", first_account + terms.customer)
    numbers = zip((line + 10_000).tolist(), (turn + 1).tolist(), strict=True)
    table.put_texts("number", [f"C{number}-{term}" for number, term in numbers])
    table.put_choices("product", profile.PRODUCTS, lines.product[line])
    table.put_days("starts_on", terms.starts)
    table.put_days("ends_on", terms.due)
    table.put_same("is_term_assumed", "f")
    table.put_measures("recurring_amount", terms.baseline, whole=True)
    table.put_texts("ramp_amounts", _ramps(rng, lines, terms))
    table.put_measures("one_off_amount", setup, whole=True)
    table.put_choices("currency", CURRENCIES, customers.region[terms.customer])
    table.put_flags("is_auto_renewing", lines.is_auto[line])
    table.put_numbers("notice_days", lines.notice_days[line])
    table.put_measures("uplift_cap_rate", lines.uplift_cap[line])
    table.put_days("created_at", np.minimum(terms.starts - SIGNED_DAYS, yesterday))
    table.put_same("updated_at", now)
    return table


def _ramps(rng: np.random.Generator, lines: Lines, terms: Terms) -> Column:
    """Array texts of a yearly amount each, rising to the baseline; null where the price is the same each year."""
    texts = [NULL] * len(terms)
    rows = np.flatnonzero(lines.has_ramp[terms.line])
    years = lines.term_months[terms.line[rows]] // 12
    steps = rng.uniform(0.06, 0.15, len(rows))
    for row, count, step in zip(rows.tolist(), years.tolist(), steps.tolist(), strict=True):
        last = int(terms.baseline[row])
        amounts = [round(last * (1 - step * (count - year))) for year in range(1, count)] + [last]
        texts[row] = "{" + ",".join(map(str, amounts)) + "}"
    return texts


def renewals_table(
    rng: np.random.Generator,
    customers: Customers,
    lines: Lines,
    terms: Terms,
    desk: Desk,
    people: People,
    keys: Keys,
    first_account: int,
    contract_keys: Ints,
    *,
    now: str,
    yesterday: int,
) -> Table:
    count = len(terms)
    final = np.where(terms.is_renewed, terms.final, np.where(terms.is_lost, 0.0, np.nan))
    is_open = terms.is_open
    table = Table("renewals_renewal", count)
    table.put_numbers("contract_id", contract_keys)
    table.put_numbers("account_id", first_account + terms.customer)
    no_owner = is_open & chance(rng, 0.015, count)
    table.put_keys("owner_id", people.rep_keys, np.where(no_owner, NONE, desk.owner))
    table.put_days("due_on", terms.due)
    table.put_numbers("notice_days", lines.notice_days[terms.line])
    table.put_choices("currency", CURRENCIES, customers.region[terms.customer])
    table.put_measures("baseline_amount", terms.baseline, whole=True)
    table.put_measures("forecast_amount", desk.forecast, whole=True)
    table.put_measures("final_amount", final, whole=True)
    table.put_measures("cross_sell_amount", desk.cross_sell, whole=True)
    table.put_keys("offer_id", keys.offers, desk.offer)
    table.put_keys("stage_id", keys.stages, np.minimum(desk.stage, len(keys.stages) - 1))
    table.put_numbers("confidence", desk.confidence)
    table.put_days("expected_order_on", desk.expected_order)
    table.put_choices("outcome", ("open", "renewed", "lost"), terms.is_renewed + 2 * terms.is_lost)
    table.put_days("ordered_on", np.where(terms.is_renewed, terms.decided, NONE))
    table.put_days("declined_on", desk.declined)
    table.put_keys("churn_reason_id", keys.churn_reasons, desk.churn_reason)
    table.put_texts("next_step", desk.next_step)
    table.put_days("next_step_on", desk.next_step_on)
    table.put_flags("is_excluded", desk.exclusion != NONE)
    table.put_choices("excluded_reason", words.EXCLUSION_REASONS, desk.exclusion)
    table.put_same("attributes", "{}")
    table.put_days("created_at", np.minimum(np.maximum(terms.starts - SIGNED_DAYS, terms.due - OPENED_DAYS), yesterday))
    table.put_same("updated_at", now)
    return table


def signals_table(signals: Signals, first_account: int) -> Table:
    table = Table("accounts_accountsignal", len(signals.customer))
    table.put_numbers("account_id", first_account + signals.customer)
    table.put_days("measured_on", signals.measured)
    table.put_measures("usage_change_rate", signals.usage_change)
    table.put_measures("seat_change_rate", signals.seat_change)
    table.put_measures("severe_ticket_count", signals.severe_tickets, whole=True)
    table.put_measures("reopened_ticket_rate", signals.reopened_rate)
    table.put_measures("csat_score", signals.csat)
    table.put_measures("nps_score", signals.nps)
    table.put_measures("late_payment_days", signals.late_payment_days)
    table.put_measures("failed_payment_count", signals.failed_payments, whole=True)
    table.put_measures("chargeback_count", signals.chargebacks, whole=True)
    table.put_measures("has_champion_left", signals.champion_left, whole=True)
    table.put_days("last_touch_on", signals.last_touch)
    table.put_days("created_at", signals.measured)
    return table
