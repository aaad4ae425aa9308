import csv
import io
from email.parser import BytesParser
from email.policy import HTTP

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from accounts.models import Account, AttributeDefinition, HealthFactor
from renewals.imports import services
from renewals.imports.report import summary_of
from renewals.models import Contract, ImportBatch
from tests.cast import Cast
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import

State = ImportBatch.State
PLAIN = "Account id,Account,Contract,Starts,Ends,Yearly amount,Currency\n"
GOOD_ROW = "A1,Acme,C1,2026-01-01,2026-12-31,100,EUR\n"
BAD_ROW = "A2,=Beta,C2,2026-01-01,31.12.2026,100,EUR\n"


def upload(client: Client, text: str | bytes, name: str = "book.csv") -> HttpResponseBase:
    content = text.encode() if isinstance(text, str) else text
    return client.post("/imports/", {"file": SimpleUploadedFile(name, content)})


def text_of(response: HttpResponseBase) -> str:
    if response.streaming:
        return b"".join(response.streaming_content).decode("utf-8")  # type: ignore[attr-defined]
    return response.content.decode("utf-8")  # type: ignore[attr-defined]


@pytest.fixture
def admin(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The admin's browser; work that is handed to the background is done when the test says so."""
    return cast.client_of("admin")


def test_a_file_goes_from_upload_to_the_book(admin: Client) -> None:
    response = upload(admin, PLAIN + GOOD_ROW + BAD_ROW)
    batch = ImportBatch.objects.get()
    assert (response.status_code, response.headers["Location"]) == (302, f"/imports/{batch.pk}/")
    page = text_of(admin.get(f"/imports/{batch.pk}/"))
    assert '<input type="radio" name="mapping" value="contracts" checked>' in page

    admin.post(f"/imports/{batch.pk}/mapping/", {"mapping": "contracts"})
    assert "Waiting for a worker" in text_of(admin.get(f"/imports/{batch.pk}/"))
    services.process_batch(batch.pk)
    progress = admin.get(f"/imports/{batch.pk}/progress/")
    assert progress.headers["HX-Refresh"] == "true"
    page = text_of(admin.get(f"/imports/{batch.pk}/"))
    assert "Import the 1 good row<" in page
    assert "<code>31.12.2026</code>" in page
    assert Contract.objects.count() == 0

    admin.post(f"/imports/{batch.pk}/confirm/", {"mode": "good"})
    services.process_batch(batch.pk)
    assert "1 row stayed out" in text_of(admin.get(f"/imports/{batch.pk}/"))
    assert Contract.objects.get().number == "C1"
    assert "book.csv" in text_of(admin.get("/imports/"))


def test_rows_to_fix_are_safe_to_open_and_come_back_as_they_were(admin: Client) -> None:
    rows = [
        ["=cmd|'/c calc'!A0", "@Acme", "", "2026-01-01", "2026-12-31", "100", "EUR"],
        ["+A2", "-Beta", "C2", "2026-01-01", "soon", "-100", "EUR"],
        ["\tA3", "\rGamma", "C3", "2026-01-01", "2026-12-31", "100", "€"],
    ]
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    upload(admin, PLAIN + GOOD_ROW + file.getvalue())
    batch = ImportBatch.objects.get()
    admin.post(f"/imports/{batch.pk}/mapping/", {"mapping": "contracts"})
    services.process_batch(batch.pk)
    response = admin.get(f"/imports/{batch.pk}/to-fix.csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="book-to-fix.csv"'
    text = text_of(response)
    assert text.startswith(
        "\ufeffAccount id,Account,Contract,Starts,Ends,Yearly amount,Currency,Row in the file,Why it was refused\r\n"
    )
    fixed = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert [row[0] for row in fixed] == ["'=cmd|'/c calc'!A0", "'+A2", "'\tA3"]
    assert not [cell for row in fixed for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [row[7] for row in fixed] == ["3", "4", "5"]
    assert fixed[0][8] == "Contract “” is blank, and a row needs it: Contract number"
    # Mended and brought again, the guards are gone.
    mended = (
        text.replace(",,2026", ",C1,2026").replace("soon", "2026-12-31").replace("'-100", "100").replace("€", "EUR")
    )
    upload(admin, mended)
    again = ImportBatch.objects.exclude(pk=batch.pk).get()
    services.import_now(
        batch=again, mapping=services_mapping("contracts"), name="x", is_check=False, is_all_or_nothing=True
    )
    assert again.message == ""
    assert dict(Account.objects.values_list("external_id", "name")) == {
        "=cmd|'/c calc'!A0": "@Acme",
        "+A2": "-Beta",
        "A3": "Gamma",
    }


@pytest.mark.parametrize(
    ("file", "name", "content"),
    [
        ({"delimiter": ";"}, "book.csv", "{}"),
        ({"header_row": 3}, "book.csv", "Our register\n;\n{}"),
        ({"header_row": 2}, "book.csv", "sep=;\nOur register\n{}"),
        ({"file_on_in_name": "%d.%m.%Y"}, "Städte & more 13.08.2026.csv", "{}"),
    ],
)
def test_rows_to_fix_are_read_by_the_mapping_that_refused_them(
    admin: Client, run_import: Import, file: dict[str, object], name: str, content: str
) -> None:
    mapping = {**CONTRACTS, "file": file}
    rows = HEADING + "A1,Acme,C1,2026-01-01,2026-12-31,1\nA2,Beta,C2,2026-01-01,soon,2\n"
    batch = run_import(content.format(rows.replace(",", ";")), mapping, name=name)
    assert (batch.state, batch.imported_count, batch.refused_count) == ("done", 1, 1)
    response = admin.get(f"/imports/{batch.pk}/to-fix.csv")
    head = f"Content-Disposition: {response.headers['Content-Disposition']}".encode()
    fixed_name = BytesParser(policy=HTTP).parsebytes(head).get_filename()
    assert fixed_name == f"{name.removesuffix('.csv')}-to-fix.csv"
    again = run_import(text_of(response).replace("soon", "2026-12-31"), mapping, name=fixed_name)
    assert (again.message, again.row_count, again.imported_count) == ("", 1, 1)
    assert set(Contract.objects.values_list("number", flat=True)) == {"C1", "C2"}


def test_each_kind_of_record_is_told_of(admin: Client, run_import: Import) -> None:
    run_import("Account id,Account\nA1,Acme\n", services_mapping("accounts"))
    text = "Account id,Ticket id,Opened\nA1,T1,2026-01-02\nA1,T2,2026-01-02\n"
    mapping = {"rows": "tickets", "account": {"external_id": "Account id"}}
    batch = run_import(text, {**mapping, "ticket": {"id": "Ticket id", "opened_on": "Opened"}})
    assert summary_of(batch)["result"]["tickets"] == {"created": 2, "changed": 0, "unchanged": 0}
    page = text_of(admin.get(f"/imports/{batch.pk}/"))
    assert '<th scope="row">Tickets</th><td class="num">2</td>' in page


def services_mapping(name: str) -> dict[str, object]:
    from renewals.imports.builtin import load_mapping

    return load_mapping(name)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"%PDF-1.4", "a.csv", "This is a PDF. Export the list as CSV or XLSX from where the PDF was made."),
        (b"\xd0\xcf\x11\xe0", "a.csv", "This is an old Excel workbook (.xls), whatever its name says."),
    ],
)
def test_files_that_cannot_be_read_are_refused_on_the_spot(
    admin: Client, content: bytes, name: str, message: str
) -> None:
    response = upload(admin, content, name)
    assert response.status_code == 422
    assert message in text_of(response)
    assert not ImportBatch.objects.exists()


def test_a_file_over_the_limit_is_refused(admin: Client, settings: Settings) -> None:
    settings.IMPORT_MAX_BYTES = 1024 * 1024
    response = upload(admin, b"a" * (1024 * 1024 + 1))
    assert response.status_code == 422
    assert "The file has 1 MB; 1 MB at most. Split it by rows" in text_of(response)


def test_nothing_in_a_file_becomes_markup(admin: Client) -> None:
    upload(
        admin, PLAIN.replace("Account,", "<b>Account</b>,") + "<script>alert(1)</script>" + GOOD_ROW, "<img src=x>.csv"
    )
    batch = ImportBatch.objects.get()
    page = text_of(admin.get(f"/imports/{batch.pk}/"))
    assert "<script>alert(1)" not in page
    assert "<img src" not in page
    assert "&lt;b&gt;Account&lt;/b&gt;" in page


def test_an_admin_changes_the_columns_and_the_change_stays_with_the_batch(admin: Client) -> None:
    upload(admin, 'Kunde,Vertrag,Beginn,Ende,Betrag,Sitze\nAcme,V1,01.02.2026,31.01.2027,"1.200,50",12\n')
    batch = ImportBatch.objects.get()
    page = text_of(admin.get(f"/imports/{batch.pk}/columns/?from=new-contracts"))
    assert "Beginn" in page
    data = {
        "column:account.name": "Kunde",
        "column:contract.number": "Vertrag",
        "column:contract.starts_on": "Beginn",
        "form:contract.starts_on": "%d.%m.%Y",
        "column:contract.ends_on": "Ende",
        "form:contract.ends_on": "%d.%m.%Y",
        "column:contract.recurring_amount": "Betrag",
        "form:contract.recurring_amount": ",.",
        "attribute:Sitze": "number",
        "holder:Sitze": "account",
    }
    response = admin.post(f"/imports/{batch.pk}/columns/?from=new-contracts", data)
    assert response.status_code == 422
    assert "contract.currency: a mapping of contracts needs contract.currency" in text_of(response)
    response = admin.post(
        f"/imports/{batch.pk}/columns/?from=new-contracts", {**data, "value:contract.currency": "EUR"}
    )
    assert response.status_code == 302
    services.process_batch(batch.pk)
    admin.post(f"/imports/{batch.pk}/confirm/", {"mode": "all"})
    services.process_batch(batch.pk)
    contract = Contract.objects.get()
    assert (str(contract.starts_on), str(contract.recurring_amount)) == ("2026-02-01", "1200.50")
    assert contract.account.attributes == {"sitze": 12}
    assert AttributeDefinition.objects.get().kind == "number"
    batch.refresh_from_db()
    assert (batch.mapping_name, batch.mapping["contract"]["starts_on"]) == (
        "Own mapping (changed)",
        {"column": "Beginn", "dates": ["%d.%m.%Y"]},
    )


def test_columns_become_attributes_that_are_there_or_new_ones(admin: Client) -> None:
    """Written as the page says; two columns never fill one attribute."""
    AttributeDefinition.objects.create(key="seats", label="Seats sold", kind="number")
    AttributeDefinition.objects.create(key="wave", label="Wave", kind="category", holder="renewal")
    upload(admin, "Kunde,Sitze,Start,Alt\nAcme,'1.200',05.02.2026,3\n".replace("'", '"'))
    batch = ImportBatch.objects.get()
    url = f"/imports/{batch.pk}/columns/?from=new-accounts"
    page = text_of(admin.get(url))
    assert '<option value="known:seats">Seats sold (number)</option>' in page
    assert "known:wave" not in page  # accounts have no renewals
    data = {
        "column:account.name": "Kunde",
        "attribute:Sitze": "known:seats",
        "form:attribute:Sitze": ",.",
        "attribute:Start": "date",
        "form:attribute:Start": "%d.%m.%Y",
    }
    twice = admin.post(url, {**data, "attribute:Alt": "known:seats"})
    assert twice.status_code == 422
    assert "attributes.seats: read from “Sitze” and from “Alt”; it has one column." in text_of(twice)
    assert admin.post(url, data).status_code == 302
    services.process_batch(batch.pk)
    admin.post(f"/imports/{batch.pk}/confirm/", {"mode": "all"})
    services.process_batch(batch.pk)
    assert Account.objects.get().attributes == {"seats": 1200, "start": "2026-02-05"}
    assert dict(AttributeDefinition.objects.values_list("key", "kind")) == {
        "seats": "number",
        "wave": "category",
        "start": "date",
    }
    again = text_of(admin.get(f"/imports/{batch.pk}/columns/"))
    assert '<option value="known:seats" selected>' in again


def test_a_mapping_set_by_hand_is_offered_for_the_rows_to_fix(admin: Client) -> None:
    text = "Kunde;Vertrag;Von;Bis\nAcme;C1;2026-01-01;2026-12-31\nBeta;C2;2026-01-01;bald\n"
    upload(admin, text)
    batch = ImportBatch.objects.get()
    fields = {"account.name": "Kunde", "contract.number": "Vertrag", "contract.starts_on": "Von"}
    columns = {f"column:{path}": column for path, column in (fields | {"contract.ends_on": "Bis"}).items()}
    admin.post(f"/imports/{batch.pk}/columns/?from=new-contracts", columns | {"value:contract.currency": "EUR"})
    services.process_batch(batch.pk)
    admin.post(f"/imports/{batch.pk}/confirm/", {"mode": "good"})
    services.process_batch(batch.pk)

    fixed = text_of(admin.get(f"/imports/{batch.pk}/to-fix.csv")).replace("bald", "2026-12-31", 1)
    upload(admin, fixed, "book-to-fix.csv")
    again = ImportBatch.objects.exclude(pk=batch.pk).get()
    own = f'<input type="radio" name="mapping" value="import-{batch.pk}" checked>'
    assert own in text_of(admin.get(f"/imports/{again.pk}/"))
    admin.post(f"/imports/{again.pk}/mapping/", {"mapping": f"import-{batch.pk}"})
    services.process_batch(again.pk)
    again.refresh_from_db()
    assert (again.row_count, again.imported_count, again.mapping_name) == (1, 1, "Own mapping (changed)")
    # A file that lacks one of its columns is not read by it, even where somebody asks for it by hand.
    upload(admin, "Kunde;Vertrag;Von\nAcme;C1;2026-01-01\n", "other.csv")
    other = ImportBatch.objects.get(file_name="other.csv")
    assert f"import-{batch.pk}" not in text_of(admin.get(f"/imports/{other.pk}/"))
    assert admin.post(f"/imports/{other.pk}/mapping/", {"mapping": f"import-{batch.pk}"}).status_code == 422


def test_headings_are_read_from_where_a_person_says(admin: Client) -> None:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name, rows in (("Cover", []), ("Data", [["Our register"], [], *map(line_of, (PLAIN, GOOD_ROW))])):
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
        book.add_worksheet("Old").hide()
    upload(admin, file.getvalue(), "book.xlsx")
    batch = ImportBatch.objects.get()
    assert (batch.header[0], batch.reading) == (
        "Our register",
        {"header_row": 1, "sheet": "Data", "sheets": ["Cover", "Data", "Old"]},
    )
    address = f"/imports/{batch.pk}/reading/"
    for data in ({"header_row": "0", "sheet": "Data"}, {"header_row": "3", "sheet": "None"}, {"header_row": "99"}):
        assert admin.post(address, data).status_code == 422
    assert admin.post(address, {"header_row": "3", "sheet": "Data"}).status_code == 302
    admin.post(f"/imports/{batch.pk}/mapping/", {"mapping": "contracts"})
    assert admin.post(address, {"header_row": "1", "sheet": "Data"}).status_code == 409
    services.process_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.message, batch.row_count, batch.imported_count) == ("", 1, 1)
    told = batch.findings.get(reason_code="other_sheets")
    assert (told.value, told.severity) == ("Data", "warning")


def line_of(text: str) -> list[str]:
    return text.strip().split(",")


def test_columns_become_custom_signals(admin: Client) -> None:
    HealthFactor.objects.create(
        key="visits", label="Visits", position=100, is_custom=True, worst_value=0, best_value=10, stale_days=90
    )
    upload(admin, 'Kunde,Tag,Besuche\nAcme,2026-02-05,"2,5"\n')
    batch = ImportBatch.objects.get()
    url = f"/imports/{batch.pk}/columns/?from=new-signals"
    assert '<option value="visits">Visits</option>' in text_of(admin.get(url))
    data = {
        "column:account.name": "Kunde",
        "column:signal.measured_on": "Tag",
        "signal:Besuche": "visits",
        "form:signal:Besuche": ",.",
    }
    assert admin.post(url, {**data, "signal:Tag": "visits"}).status_code == 422
    assert admin.post(url, {**data, "signal:Tag": "unknown"}).status_code == 302
    batch.refresh_from_db()
    assert batch.mapping["custom"] == {"visits": {"column": "Besuche", "decimal": ",", "thousands": "."}}


def test_columns_keep_what_the_page_does_not_show(admin: Client) -> None:
    upload(admin, "TYPE OF CONTRACT,CONTRACT,COMPANY,SERVICE,EXPIRATION\nCounty,1,Acme,Mowing,varies\n")
    batch = ImportBatch.objects.get()
    admin.post(
        f"/imports/{batch.pk}/columns/?from=county_register",
        {
            "column:account.name": "COMPANY",
            "column:contract.number": "CONTRACT",
            "column:contract.ends_on": "EXPIRATION",
            "form:contract.ends_on": "%m/%d/%Y,%m/%d/%y",
            "value:contract.term_months": "24",
            "value:contract.currency": "USD",
        },
    )
    batch.refresh_from_db()
    assert batch.mapping["contract"]["ends_on"]["dates"] == ["%m/%d/%Y", "%m/%d/%y"]
    assert batch.mapping["contract"]["ends_on"]["refuse"]["varies"] == "has several last days; give each its own row"
    assert (batch.mapping["contract"]["number"]["strip"], batch.mapping["contract"]["term_months"]) == (
        "*",
        {"value": "24"},
    )
    assert batch.mapping["renewal"] == {"ordered_on": {"stands_in": "file_on"}}
    assert "product" not in batch.mapping["contract"]
    assert "attributes" not in batch.mapping


def test_cancel_ends_a_batch_and_its_file(admin: Client) -> None:
    upload(admin, PLAIN + GOOD_ROW)
    batch = ImportBatch.objects.get()
    assert admin.post(f"/imports/{batch.pk}/cancel/").headers["Location"] == "/imports/"
    batch.refresh_from_db()
    assert (batch.state, batch.parts.count()) == (State.CANCELLED, 0)
    assert admin.post(f"/imports/{batch.pk}/cancel/").status_code == 409
    assert "This import is cancelled already." in text_of(
        admin.post(f"/imports/{batch.pk}/mapping/", {"mapping": "contracts"})
    )


def test_a_second_upload_of_one_file_says_so(admin: Client, run_import: Import, cast: Cast) -> None:
    run_import(PLAIN + GOOD_ROW, services_mapping("contracts"), user=cast.admin)
    upload(admin, PLAIN + GOOD_ROW)
    batch = ImportBatch.objects.latest("pk")
    assert "The same file was imported on" in text_of(admin.get(f"/imports/{batch.pk}/"))


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_the_same_statements_for_one_and_for_three(
    admin: Client, run_import: Import, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        batch = run_import(HEADING + f"A{number},Acme,C{number},2026-01-01,bad,1\n" * count, CONTRACTS)
    admin.get("/imports/")
    with django_assert_num_queries(5):
        admin.get("/imports/")
    with django_assert_num_queries(5):
        admin.get(f"/imports/{batch.pk}/findings/")


def test_a_form_to_start_from_has_the_headings_of_its_mapping(admin: Client) -> None:
    text = text_of(admin.get("/imports/blank/signals.csv"))
    assert text.startswith("\ufeffAccount id,Account,Measured on,Usage change")
    upload(admin, text + "A1,Acme,2026-01-01,0.1,,,,,,,,,,\n")
    page = text_of(admin.get(f"/imports/{ImportBatch.objects.get().pk}/"))
    assert '<input type="radio" name="mapping" value="signals" checked>' in page
