"""Rows of measurements and payments, brought together to at most one signal per account and day or month."""

from __future__ import annotations

from renewals.imports.fields import FIELDS, MEASURES, Kind
from renewals.imports.mapping import Rule
from renewals.imports.repeats import mark_repeats
from renewals.imports.resolve import refuse_by_account
from renewals.imports.run import Run
from renewals.imports.upsert import Counts

ACCOUNT = ("account.external_id", "account.name", "contract.number")
SHOWN = "coalesce(account_external_id, account_name, contract_number)"


def make_signal_rows(run: Run) -> None:
    """Makes import_row: the staged cells with their account, given itself or by the number of one of its contracts."""
    run.make_table(
        "import_row",
        """
        SELECT c.*, coalesce(a.account_id, k.account_id) AS account_id, coalesce(a.is_new, false) AS is_new_account,
            coalesce(a.is_named_twin, false) AS is_named_twin, k.count AS account_count, NULL::text AS verdict,
            coalesce(c.signal_measured_on, c.payment_settled_on) AS measured_on
        FROM import_cell c LEFT JOIN import_account a USING (account_key)
        LEFT JOIN (SELECT number, min(account_id) AS account_id, count(DISTINCT account_id) AS count FROM
            renewals_contract
                   WHERE number IN (SELECT contract_number FROM import_cell) GROUP BY 1) k
            ON k.number = c.contract_number AND c.account_key IS NULL
        """,
    )
    refuse_by_account(run)
    run.refuse(
        "account_count > 1",
        paths=("contract.number",),
        value=SHOWN,
        code="ambiguous_contract",
        reason="format('%%s accounts have a contract of this number; give the account''s id', account_count)",
    )
    run.refuse(
        "account_id IS NULL",
        paths=ACCOUNT,
        value=SHOWN,
        code="unknown_contract",
        reason="'no contract has this number'",
    )
    _refuse_days_to_come(run)
    _refuse_other_teams(run)
    _mark_repeats(run)


def _refuse_days_to_come(run: Run) -> None:
    """A month's row stands for the last day that it knows of (`combine_signals`): only its days so far count."""
    if run.mapping.rows == "payments":
        run.refuse(
            "payment_settled_on > %s",
            paths=("payment.settled_on",),
            value="payment_settled_on",
            code="future_settlement",
            reason="'is after today: nobody can have paid it'",
            params=[run.as_of],
        )
    else:
        run.refuse(
            "signal_measured_on > %s",
            paths=("signal.measured_on",),
            value="signal_measured_on",
            code="future_signal",
            reason="'is after today: nobody can have measured it'",
            params=[run.as_of],
        )


def _refuse_other_teams(run: Run) -> None:
    if run.is_bound_to_team:
        run.refuse(
            """NOT is_new_account AND NOT EXISTS (SELECT 1 FROM accounts_account a JOIN accounts_user u ON u.id =
            a.owner_id
                WHERE a.id = t.account_id AND u.team_id = %s)""",
            paths=ACCOUNT,
            value=SHOWN,
            code="account_of_another_team",
            reason="'this account belongs to another team, or to nobody'",
            params=[run.team_id],
        )


def _mark_repeats(run: Run) -> None:
    for path in ("signal.id", "payment.id"):
        if run.has(path):
            mark_repeats(run, FIELDS[path].staged, paths=(path,), value=FIELDS[path].staged)
            return
    rules = [rule for path, rule in run.mapping.rules.items() if path.startswith("signal.")]
    if run.mapping.rows == "signals" and run.mapping.per == "day" and all(rule.combine == "last" for rule in rules):
        mark_repeats(run, "account_id, measured_on", paths=("signal.measured_on", *ACCOUNT), value=SHOWN)


def combine_signals(run: Run) -> None:
    """Makes import_signal. A month's row is dated by the last day that it knows of, so it never tells of days to
    come."""
    if run.mapping.rows == "payments":
        measures = {
            "late_payment_days": "avg(greatest(payment_settled_on - payment_due_on, 0))",
            "failed_payment_count": "count(*) FILTER (WHERE payment_has_failed)"
            if run.has("payment.has_failed")
            else "NULL",
            "chargeback_count": "count(*) FILTER (WHERE payment_is_charged_back)"
            if run.has("payment.is_charged_back")
            else "NULL",
        }
    else:
        measures = {
            name: _combined(rule)
            for name in MEASURES
            if (rule := run.mapping.rule(f"signal.{name}")) and rule.combine != "change"
        }
    types = {name: FIELDS[f"signal.{name}"].sql_type for name in MEASURES}
    period = "date_trunc('month', measured_on)" if run.mapping.per == "month" else "measured_on"
    selected = ", ".join(f"({measures.get(name, 'NULL')})::{types[name]} AS {name}" for name in MEASURES)
    parts = []
    if measures or run.mapping.custom:
        parts.append(
            f"SELECT account_id, max(measured_on) AS measured_on, {selected}, {_custom_sql(run)} AS custom_values "
            f"FROM import_row WHERE verdict IS NULL GROUP BY account_id, {period}"
        )
    change = run.mapping.rule("signal.usage_change_rate")
    if change and change.combine == "change":
        parts.append(_change_sql(change.window_days, types))
    merged = ", ".join(
        f"{'bool_or' if FIELDS[f'signal.{name}'].kind is Kind.FLAG else 'max'}({name}) AS {name}" for name in MEASURES
    )
    run.make_table(
        "import_signal",
        f"SELECT account_id, measured_on, {merged}, "
        f"(array_agg(custom_values) FILTER (WHERE custom_values IS NOT NULL))[1] AS custom_values "
        f"FROM ({' UNION ALL '.join(parts)}) s GROUP BY account_id, measured_on",
        joined_by="account_id, measured_on",
    )


def _custom_sql(run: Run) -> str:
    """The newest value of each custom signal in a span, in one object; NULL where there is none."""
    pairs = ", ".join(
        f"'{one.key}', (array_agg(signal_attributes -> '{one.key}' ORDER BY measured_on DESC, row_number DESC) "
        f"FILTER (WHERE signal_attributes ? '{one.key}'))[1]"
        for one in run.mapping.custom
    )
    return f"nullif(jsonb_strip_nulls(jsonb_build_object({pairs})), '{{}}')" if pairs else "NULL::jsonb"


def _combined(rule: Rule) -> str:
    value, kind = rule.field.staged, rule.field.kind
    if rule.combine == "last":
        return f"(array_agg({value} ORDER BY measured_on DESC, row_number DESC) FILTER (WHERE {value} IS NOT NULL))[1]"
    if kind is Kind.FLAG:
        return f"bool_or({value})"
    if kind is Kind.DATE or rule.combine == "max":
        return f"max({value})"
    return {"mean": f"avg({value})", "sum": f"sum({value})"}[rule.combine]


def _change_sql(window: int, types: dict[str, str]) -> str:
    """Use in the last `window` days against the same span before, at each month's end; a month without any use counts
    too.

    Only from two whole windows after the account's first use: a first month against nothing is no growth.
    """
    others = ", ".join(
        "recent / before - 1 AS usage_change_rate" if name == "usage_change_rate" else f"NULL::{types[name]} AS {name}"
        for name in MEASURES
    )
    return f"""
        SELECT account_id, day AS measured_on, {others}, NULL::jsonb AS custom_values FROM (
            SELECT f.account_id, f.day,
                coalesce(sum(u.amount) FILTER (WHERE u.measured_on > f.day - {window}), 0) AS recent,
                sum(u.amount) FILTER (WHERE u.measured_on <= f.day - {window}) AS before
            FROM (SELECT a.account_id, least((month + interval '1 month')::date - 1, a.last_day) AS day
                  FROM (SELECT account_id, min(measured_on) AS first_day,
                            (SELECT max(measured_on) FROM import_row WHERE verdict IS NULL) AS last_day
                        FROM import_row WHERE verdict IS NULL GROUP BY 1) a
                  CROSS JOIN LATERAL generate_series(
                      date_trunc('month', a.first_day + {2 * window}), a.last_day, '1 month') month
                  WHERE least((month + interval '1 month')::date - 1, a.last_day) >= a.first_day + {2 * window}) f
            JOIN (SELECT account_id, measured_on, sum(signal_usage_change_rate) AS amount FROM import_row
                  WHERE verdict IS NULL GROUP BY 1, 2) u
                ON u.account_id = f.account_id AND u.measured_on <= f.day AND u.measured_on > f.day - {2 * window}
            GROUP BY 1, 2) w
        WHERE before > 0"""


CUSTOM = "coalesce(o.custom_values || {new}.custom_values, {new}.custom_values, o.custom_values)"


def write_signals(run: Run) -> Counts:
    columns = ", ".join((*MEASURES, "custom_values"))
    new, excluded = (
        ", ".join((*(f"coalesce({row}.{name}, o.{name})" for name in MEASURES), CUSTOM.format(new=row)))
        for row in ("s", "excluded")
    )
    old = ", ".join(f"o.{name}" for name in (*MEASURES, "custom_values"))
    known = "accounts_accountsignal o ON o.account_id = s.account_id AND o.measured_on = s.measured_on"
    [(created, changed, total)] = run.rows(
        f"""
        SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE o.id IS NOT NULL AND ({new}) IS DISTINCT
            FROM ({old})),
            count(*) FROM import_signal s LEFT JOIN {known}
        """
    )
    if run.is_applied:
        run.execute(
            f"""
            INSERT INTO accounts_accountsignal AS o (account_id, measured_on, {columns})
            SELECT account_id, measured_on, {columns} FROM import_signal
            ON CONFLICT (account_id, measured_on) DO UPDATE SET ({columns}) = ROW({excluded})
            WHERE ({excluded}) IS DISTINCT FROM ({old})
            """
        )
    return {"created": created, "changed": changed, "unchanged": total - created - changed}
