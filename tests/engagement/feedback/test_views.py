import csv
import datetime as dt
import io
import json

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse

from accounts.models import get_company
from engagement.models import FeedbackTheme
from tests.cast import Cast, make_account, make_renewal
from tests.engagement.feedback.conftest import MakeTicket

pytestmark = pytest.mark.django_db


@pytest.fixture
def theme(cast: Cast) -> FeedbackTheme:
    return FeedbackTheme.objects.create(name="Export <b>", words=["export"], route="documentation")


def rows_of(response: HttpResponse) -> list[dict[str, str]]:
    assert isinstance(response, StreamingHttpResponse)
    text = b"".join(response).decode()  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_move_answers_with_the_columns_and_the_card_in_focus(cast: Cast, theme: FeedbackTheme) -> None:
    url = reverse("feedback:move", args=[theme.pk])
    answer = cast.client_of("manager").post(url, {"seen": "0", "status": "accepted"}, headers={"HX-Request": "true"})
    assert json.loads(answer.headers["HX-Trigger"]) == {"toast": {"text": "“Export <b>” is now accepted."}}
    page = answer.content.decode()
    assert page.lstrip().startswith('<div class="f-board"')
    assert page.count("autofocus") == 1
    assert (
        page.index('data-status="accepted"') < page.index("Export &lt;b&gt;") < page.index('data-status="in_progress"')
    )


def test_a_stale_move_shows_the_board_as_it_stands(cast: Cast, theme: FeedbackTheme) -> None:
    url, headers = reverse("feedback:move", args=[theme.pk]), {"HX-Request": "true"}
    cast.client_of("admin").post(url, {"seen": "0", "status": "in_progress"})
    answer = cast.client_of("manager").post(url, {"seen": "0", "status": "accepted"}, headers=headers)
    assert answer.status_code == 409
    assert json.loads(answer.headers["HX-Trigger"])["toast"]["level"] == "error"
    assert FeedbackTheme.objects.get().status == "in_progress"


def test_what_was_typed_stays_where_the_edit_is_refused(cast: Cast, theme: FeedbackTheme) -> None:
    values = {"seen": "0", "name": "New name", "words": "a\nb", "route": "engineering", "status": "declined"}
    answer = cast.client_of("admin").post(reverse("feedback:edit", args=[theme.pk]), values)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Say in the note why it is declined." in page
    assert 'value="New name"' in page
    assert FeedbackTheme.objects.get().name == "Export <b>"


def test_a_manager_cannot_slip_in_another_rule(cast: Cast, theme: FeedbackTheme) -> None:
    values = {"seen": "0", "name": "Mine", "words": "a", "route": "engineering", "status": "accepted"}
    assert cast.client_of("manager").post(reverse("feedback:edit", args=[theme.pk]), values).status_code == 302
    kept = FeedbackTheme.objects.get()
    assert (kept.name, kept.words, kept.route, kept.status) == ("Export <b>", ["export"], "engineering", "accepted")


def test_words_are_typed_one_a_line_once_each(cast: Cast) -> None:
    values = {"name": "Export", "words": " Data  export \nbackup, BACKUP;\n\n", "route": "engineering", "status": "new"}
    assert cast.client_of("admin").post(reverse("feedback:create"), values).status_code == 302
    assert FeedbackTheme.objects.get().words == ["Data export", "backup"]


def test_a_suggestion_fills_the_form(cast: Cast) -> None:
    page = cast.client_of("admin").get(reverse("feedback:create"), {"category": "training"}).content.decode()
    assert 'value="onboarding" selected' in page
    assert 'value="training" id="id_categories_1" checked' in page or 'value="training" checked' in page


def test_files_hold_the_rows_of_the_reader_and_no_formula(
    cast: Cast, theme: FeedbackTheme, make_ticket: MakeTicket
) -> None:
    today = get_company().today()
    mine = make_account(owner=cast.rep, name="=cmd()")
    make_renewal(owner=cast.rep, account=mine, due_on=today + dt.timedelta(30))
    make_ticket(mine, "=export()", 3, today=today)
    make_ticket(make_account(owner=cast.outsider), "export", 3, today=today)
    [ticket] = rows_of(cast.client_of("rep").get(reverse("feedback:tickets_file", args=[theme.pk])))
    assert (ticket["Account"], ticket["Subject"], ticket["Opened"]) == (
        "'=cmd()", "'=export()", (today - dt.timedelta(3)).isoformat(),
    )  # fmt: skip
    [row] = rows_of(cast.client_of("rep").get(reverse("feedback:board_file")))
    assert (row["Theme"], row["Tickets"], row["Accounts"], row["Baseline at stake"], row["Goes to"]) == (
        "Export <b>", "1", "1", "12000.00", "Documentation",
    )  # fmt: skip


def test_the_page_lists_fifty_tickets_and_leads_to_the_next(
    cast: Cast, theme: FeedbackTheme, make_ticket: MakeTicket
) -> None:
    account, today = make_account(owner=cast.rep), get_company().today()
    for number in range(51):
        make_ticket(account, f"export {number}", number, today=today)
    url, client = reverse("feedback:theme", args=[theme.pk]), cast.client_of("rep")
    first, second = (client.get(url, {"page": number}).content.decode() for number in ("1", "2"))
    assert ("1 to 50 of 51" in first, "51 to 51 of 51" in second) == (True, True)
    assert ("export 50" in first, "export 50" in second) == (False, True)
    assert "0 to 0" not in client.get(url, {"page": "3"}).content.decode()
