"""What if over HTTP, as each reader gets it."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, get_company
from accounts.templatetags.money import NOTHING
from forecasting.models import Scenario
from forecasting.scenarios import book as books
from forecasting.scenarios.services import keep_scenario, save_shifts
from forecasting.scenarios.shifts import Kind, Shift
from renewals.bulk.selection import Selection
from renewals.history.log import Filters, read_page
from renewals.models import BulkEdit, Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import recompute

NEW = "/forecast/scenarios/new/"
OPEN = Selection(query="outcome=open", is_all=True)


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    """Each test has a database of its own behind the same name."""
    books._kept.clear()


@pytest.fixture
def rows(cast: Cast) -> list[Renewal]:
    """One of the rep, one of the outsider, both due in 20 days."""
    due_on = get_company().today() + dt.timedelta(days=20)
    rows = [
        make_renewal(owner=owner, due_on=due_on, baseline_amount=Decimal(amount), forecast_amount=Decimal(amount))
        for owner, amount in ((cast.rep, 1_000), (cast.outsider, 20_000))
    ]
    recompute(as_of=get_company().today())
    return rows


def text_of(content: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", content.decode(), flags=re.S))


def form(*shifts: dict[str, str], **fields: str) -> dict[str, Any]:
    data: dict[str, Any] = {"shift": [str(at) for at in range(len(shifts))], **fields}
    for at, shift in enumerate(shifts):
        data |= {f"{at}-{name}": value for name, value in shift.items()}
    return data


UPLIFT = {"kind": "uplift", "rows": "all:outcome=open", "percent": "10"}


def expected(client: Client, data: dict[str, Any]) -> Decimal:
    """What is expected in all shown periods together, under the shifts of a form."""
    table = client.post(NEW, data).context["tables"][0]
    _, rows = table.measures[0]
    return Decimal(re.sub(r"[^0-9.]", "", rows[-1].cells[-1].title))


def test_each_reader_sees_a_scenario_on_their_own_book(cast: Cast, rows: list[Renewal]) -> None:
    base = {name: expected(cast.client_of(name), {}) for name in ("admin", "rep", "viewer", "outsider")}
    lifted = {name: expected(cast.client_of(name), form(UPLIFT)) for name in base}
    assert base["admin"] == base["rep"] + base["outsider"]
    assert base["viewer"] == base["rep"]
    assert {name: round(lifted[name] / base[name], 3) for name in base} == dict.fromkeys(base, Decimal("1.1"))


def test_shared_scenario_says_that_figures_are_of_what_its_reader_sees(cast: Cast, rows: list[Renewal]) -> None:
    shift = Shift(Kind.UPLIFT, Selection(ids=tuple(row.pk for row in rows)), {"percent": "10"})
    kept = keep_scenario(by=cast.admin, name="Both", visibility="everyone", team=None, shifts=[shift])
    text = text_of(cast.client_of("rep").get(kept.get_absolute_url()).content)
    assert "Figures are of the renewals that you see (the team EMEA)" in text
    assert "Ada Admin may see other figures under the same shifts." in text
    assert "2 chosen renewals · 1 in the figures, 1 shifted 1 of them are not in the book that you see." in text
    assert "Figures are of the renewals" not in text_of(cast.client_of("admin").get(kept.get_absolute_url()).content)


def test_filter_that_was_made_by_hand_shows_nothing_more(cast: Cast, rows: list[Renewal]) -> None:
    stranger = form({**UPLIFT, "rows": f"all:outcome=open&owner={cast.outsider.pk}"})
    response = cast.client_of("rep").post(NEW, stranger)
    assert "Owner: there is no" in text_of(response.content)
    assert expected(cast.client_of("rep"), stranger) == expected(cast.client_of("rep"), {})
    unknown = form({**UPLIFT, "rows": "all:outcome=open&secret=1"})
    assert "“secret” is not a filter of this table." in text_of(cast.client_of("rep").post(NEW, unknown).content)
    named = form({**UPLIFT, "rows": f"ids:{rows[1].pk}"})
    assert expected(cast.client_of("rep"), named) == expected(cast.client_of("rep"), {})


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ({"kind": "uplift", "rows": "all:outcome=open", "percent": "1e9"}, "Per cent: a number from -100 to 1,000"),
        ({"kind": "likelihood", "rows": "all:", "by": "101", "unit": "points"}, "a number from -100 to 100"),
        ({"kind": "likelihood", "rows": "all:", "by": "1", "unit": "stars"}, "not by “stars”"),
        ({"kind": "due", "rows": "all:", "how": "set", "on": "31.12.2026"}, "written 2026-11-05, not “31.12.2026”"),
        ({"kind": "order", "rows": "all:", "how": "move", "days": "3651"}, "from -3,650 to 3,650"),
        ({"kind": "tolerances", "rows": "all:", "grace_days": "9", "late_days": "3"}, "at most the late days (3)"),
        ({"kind": "owner", "rows": "all:", "owner": "999999"}, "There is no owner “999999” that you can choose."),
        ({"kind": "uplift", "rows": "DROP TABLE", "percent": "1"}, "Say on which renewals"),
        ({"kind": "uplift", "rows": "ids:1,x", "percent": "1"}, "“x” is not the number of a renewal."),
    ],
)
def test_what_cannot_be_read_is_said_and_not_kept(
    cast: Cast, rows: list[Renewal], shift: dict[str, str], words: str
) -> None:
    client = cast.client_of("rep")
    assert words in text_of(client.post(NEW, form(shift)).content)
    response = client.post(NEW, form(shift, do="save", name="Bad", readers="private"))
    assert (response.status_code, Scenario.objects.count()) == (422, 0)


def test_form_adds_moves_and_takes_away_shifts(cast: Cast, rows: list[Renewal]) -> None:
    client = cast.client_of("rep")
    response = client.post(NEW, form(UPLIFT, do="add", **{"add-kind": "due", "add-rows": "all:outcome=open"}))
    assert [card.kind for _, card in response.context["cards"]] == ["uplift", "due"]
    due = {"kind": "due", "rows": "all:outcome=open", "how": "move", "days": "5"}
    response = client.post(NEW, form(UPLIFT, due, do="earlier:1"))
    assert [card.kind for _, card in response.context["cards"]] == ["due", "uplift"]
    response = client.post(NEW, form(UPLIFT, due, do="remove:0"))
    assert [card.words for _, card in response.context["cards"]] == ["Due date 5 days later"]
    address = {"add-kind": "uplift", "add-address": "https://crm.example/renewals/?outcome=open&risk=high"}
    response = client.post(NEW, form(do="add", **address))
    assert [card.rows for _, card in response.context["cards"]] == ["all:outcome=open&risk=high"]


def test_table_hands_over_what_is_chosen(cast: Cast, rows: list[Renewal]) -> None:
    client = cast.client_of("rep")
    [(_, card)] = client.get(NEW, {"ids": f"{rows[0].pk}"}).context["cards"]
    assert (card.words, card.rows_words, card.effect.chosen_count) == ("Likelihood +0 points", "1 chosen renewal", 1)
    [(_, card)] = client.get(NEW, {"all": "yes", "outcome": "open", "sort": "risk"}).context["cards"]
    assert (card.rows, card.rows_words) == ("all:outcome=open", "Outcome: Open")


def test_hostile_names_are_text(cast: Cast, rows: list[Renewal]) -> None:
    name = "<img src=x onerror=alert(1)> \"'&"
    client = cast.client_of("rep")
    kept_at = client.post(NEW, form(UPLIFT, do="save", name=name, readers="private")).headers["Location"]
    for address in (kept_at, "/forecast/scenarios/", f"/forecast/scenarios/compare/?s={Scenario.objects.get().pk}"):
        assert b"<img src=x" not in client.get(address).content
    turned = client.post(NEW, form(UPLIFT, do="save", name="a\u202eb", readers="private"))
    assert "none that turn the direction of text" in text_of(turned.content)


def test_second_of_two_who_save_is_told(cast: Cast, rows: list[Renewal]) -> None:
    client = cast.client_of("rep")
    address = client.post(NEW, form(UPLIFT, do="save", name="One", readers="private")).headers["Location"]
    seen = client.get(address).context["seen"]
    first = client.post(address, form({**UPLIFT, "percent": "5"}, do="save", seen=seen))
    second = client.post(address, form({**UPLIFT, "percent": "7"}, do="save", seen=seen))
    assert (first.status_code, second.status_code) == (302, 409)
    assert "Somebody changed “One” since you opened it." in text_of(second.content)
    assert Scenario.objects.get().shifts[0]["values"] == {"percent": "5"}
    made, changed = Scenario.objects.get().events.order_by("pgh_id")
    assert (made.pgh_label, changed.pgh_label) == ("after_insert", "before_update")
    assert changed.shifts[0]["values"] == {"percent": "10"}
    assert changed.pgh_context["user"] == cast.rep.pk


def test_log_tells_of_scenarios_to_those_who_may_open_them(cast: Cast) -> None:
    shift = Shift(Kind.UPLIFT, OPEN, {"percent": "10"})
    keep_scenario(by=cast.rep, name="Mine", visibility="private", team=None, shifts=[shift])
    shared = keep_scenario(by=cast.admin, name="Ours", visibility="everyone", team=None, shifts=[shift])
    save_shifts(by=cast.admin, scenario_id=shared.pk, shifts=[], seen_at=shared.updated_at)

    def told(user: User) -> list[tuple[str, str, list[str]]]:
        entries = [entry for step in read_page(Filters(how="page"), user).steps for entry in step.entries]
        return sorted(
            (entry.row, entry.who, [f"{one.label}: {one.old} > {one.new}" for one in entry.changes])
            for entry in entries
            if entry.kind == "scenario"
        )

    ours = [("Ours", "Ada Admin", []), ("Ours", "Ada Admin", [f"Shifts: 1 entry > {NOTHING}"])]
    assert told(cast.rep) == [("Mine", "Rhea Rep", []), *ours]
    assert told(cast.admin) == told(cast.outsider) == ours


def test_duplicate_rename_and_delete(cast: Cast, rows: list[Renewal]) -> None:
    shift = Shift(Kind.UPLIFT, OPEN, {"percent": "10"})
    kept = keep_scenario(by=cast.admin, name="Ours", visibility="everyone", team=None, shifts=[shift])
    client = cast.client_of("rep")
    for _ in range(2):
        client.post(f"/forecast/scenarios/{kept.pk}/duplicate/")
    assert sorted(Scenario.objects.filter(owner=cast.rep).values_list("name", "visibility")) == [
        ("Ours (copy 2)", "private"),
        ("Ours (copy)", "private"),
    ]
    copy = Scenario.objects.get(name="Ours (copy)")
    data = {"name": "ours (COPY 2)", "readers": "private", "seen": copy.updated_at.isoformat()}
    taken = client.post(f"/forecast/scenarios/{copy.pk}/share/", data)
    assert (taken.status_code, "There is a scenario of this name here already." in text_of(taken.content)) == (
        422,
        True,
    )
    data |= {"name": "Mine", "readers": f"team-{cast.rep.team_id}"}
    assert client.post(f"/forecast/scenarios/{copy.pk}/share/", data).status_code == 302
    copy.refresh_from_db()
    assert (copy.name, copy.visibility, copy.team) == ("Mine", "team", cast.rep.team)
    assert client.post(f"/forecast/scenarios/{copy.pk}/delete/").status_code == 302
    assert not Scenario.objects.filter(pk=copy.pk).exists()


def test_compared_scenarios_stand_beside_the_book_as_it_is(cast: Cast, rows: list[Renewal]) -> None:
    ids = [
        keep_scenario(
            by=cast.rep, name=f"Up {percent}", visibility="private", team=None,
            shifts=[Shift(Kind.UPLIFT, OPEN, {"percent": percent})],
        ).pk
        for percent in ("10", "20", "-50")
    ]  # fmt: skip
    response = cast.client_of("rep").get("/forecast/scenarios/compare/", {"s": ids})
    _, found = response.context["tables"][0].measures[0]
    assert [row.scenario for row in found] == ["As it is", "Up 10", "Up 20", "Up -50"]
    base, *others = [Decimal(re.sub(r"[^0-9.]", "", row.cells[-1].title)) for row in found]
    assert [round(other / base, 2) for other in others] == [Decimal("1.10"), Decimal("1.20"), Decimal("0.50")]
    assert [row.cells[-1].is_good for row in found] == [None, True, True, False]
    assert [len(chart.series) for chart in response.context["charts"]] == [4, 4]
    assert cast.client_of("rep").get("/forecast/scenarios/compare/", {"s": [*ids, 4]}).status_code == 404
    assert cast.client_of("rep").get("/forecast/scenarios/compare/", {"s": "1 OR 1"}).status_code == 404
    assert cast.client_of("outsider").get("/forecast/scenarios/compare/", {"s": ids}).status_code == 404


def test_without_a_run_the_pages_say_so(cast: Cast) -> None:
    assert "No forecast yet" in text_of(cast.client_of("rep").get(NEW).content)
    assert "No scenario yet" in text_of(cast.client_of("rep").get("/forecast/scenarios/").content)


@pytest.mark.parametrize("count", [1, 3])
def test_page_asks_as_much_for_three_rows_as_for_one(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    today = get_company().today()
    for at in range(count):
        make_renewal(owner=cast.rep, account=make_account(owner=cast.rep), due_on=today + dt.timedelta(days=at + 1))
    recompute(as_of=today)
    client = cast.client_of("rep")
    client.post(NEW, form(UPLIFT))
    books._kept.clear()
    with django_assert_num_queries(18):
        client.post(NEW, form(UPLIFT))


def promoted(cast: Cast, role: str, *shifts: Shift) -> BulkEdit:
    client = cast.client_of(role)
    kept = keep_scenario(by=getattr(cast, role), name="Up", visibility="private", team=None, shifts=shifts)
    address = client.post(f"/forecast/scenarios/{kept.pk}/promote/").headers["Location"]
    return BulkEdit.objects.get(pk=int(address.rstrip("/").rpartition("/")[2]))


def test_promoted_scenario_is_a_dry_run_then_a_step_that_can_be_undone(cast: Cast, rows: list[Renewal]) -> None:
    Renewal.objects.filter(pk=rows[0].pk).update(expected_order_on=dt.date(2026, 12, 1))
    books._kept.clear()
    edit = promoted(
        cast, "admin",
        Shift(Kind.UPLIFT, OPEN, {"percent": "10"}),
        Shift(Kind.ORDER, OPEN, {"how": "move", "days": "7", "on": ""}),
        Shift(Kind.OWNER, Selection(ids=(rows[1].pk,)), {"owner": str(cast.rep.pk)}),
        Shift(Kind.LIKELIHOOD, OPEN, {"unit": "points", "by": "10"}),
    )  # fmt: skip
    assert (edit.state, edit.ready_count) == ("planned", 2)
    assert edit.description.startswith(
        "Scenario “Up”: Amount +10\N{NO-BREAK SPACE}%; Expected order date 7 days later; Owner"
    )
    assert {row.renewal_id: (row.seen, row.wanted) for row in edit.rows.all()} == {
        rows[0].pk: (
            {"forecast_amount": "1000.00", "expected_order_on": "2026-12-01"},
            {"forecast_amount": "1100.00", "expected_order_on": "2026-12-08"},
        ),
        rows[1].pk: (
            {"forecast_amount": "20000.00", "owner_id": str(cast.outsider.pk)},
            {"forecast_amount": "22000.00", "owner_id": str(cast.rep.pk)},
        ),
    }
    assert Renewal.objects.get(pk=rows[0].pk).forecast_amount == 1_000  # nothing is written yet
    client = cast.client_of("admin")
    client.post(f"/bulk/{edit.pk}/confirm/")
    rows[0].refresh_from_db()
    rows[1].refresh_from_db()
    assert (rows[0].forecast_amount, rows[0].expected_order_on) == (1_100, dt.date(2026, 12, 8))
    assert (rows[1].forecast_amount, rows[1].owner) == (22_000, cast.rep)
    edit.refresh_from_db()
    assert edit.batch_id is not None


def test_promotion_leaves_what_is_not_its_requesters(cast: Cast, rows: list[Renewal]) -> None:
    other = make_renewal(owner=cast.team_mate, due_on=rows[0].due_on, forecast_amount=Decimal(500))
    recompute(as_of=get_company().today())
    edit = promoted(cast, "rep", Shift(Kind.UPLIFT, OPEN, {"percent": "10"}))
    assert (edit.row_count, edit.not_yours_count) == (1, 1)
    cast.client_of("rep").post(f"/bulk/{edit.pk}/confirm/")
    assert Renewal.objects.get(pk=other.pk).forecast_amount == 500
    assert Renewal.objects.get(pk=rows[0].pk).forecast_amount == 1_100


def test_promotion_skips_a_row_that_was_changed_meanwhile(cast: Cast, rows: list[Renewal]) -> None:
    edit = promoted(cast, "rep", Shift(Kind.UPLIFT, OPEN, {"percent": "10"}))
    Renewal.objects.filter(pk=rows[0].pk).update(forecast_amount=900)
    cast.client_of("rep").post(f"/bulk/{edit.pk}/confirm/")
    assert edit.rows.get().verdict == "skipped"
    assert Renewal.objects.get(pk=rows[0].pk).forecast_amount == 900


def test_what_nobody_writes_is_said_and_not_promoted(cast: Cast, rows: list[Renewal]) -> None:
    shifts = [
        Shift(Kind.LIKELIHOOD, OPEN, {"unit": "points", "by": "10"}),
        Shift(Kind.DUE, OPEN, {"how": "move", "days": "7", "on": ""}),
        Shift(Kind.TOLERANCES, OPEN, {"early_days": "", "grace_days": "", "late_days": "90"}),
    ]
    kept = keep_scenario(by=cast.rep, name="Up", visibility="private", team=None, shifts=shifts)
    client = cast.client_of("rep")
    text = text_of(client.get(f"/forecast/scenarios/{kept.pk}/promote/").content)
    for words in ("Nobody writes a likelihood", "A due date comes with its contract", "belong to a timing policy"):
        assert words in text
    assert client.post(f"/forecast/scenarios/{kept.pk}/promote/").status_code == 422
    assert not BulkEdit.objects.exists()
