"""Both in one process, in turns, over the database of DATABASE_URL; prints milliseconds as JSON."""

import json
import os
import statistics
from collections.abc import Callable
from html.parser import HTMLParser

import django

TURNS, WARM_UP = 7, 1
CHANGELIST = "/admin/renewals/renewal/?outcome__exact=open"


class Fields(HTMLParser):
    """The names and values of the fields of a page, as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "select":
            self.select = given.get("name") or ""
        elif tag == "option" and "selected" in given and self.select:
            self.values[self.select] = given.get("value") or ""
        elif tag == "input" and given.get("name") and given.get("type") not in {"checkbox", "submit"}:
            self.values[given["name"] or ""] = given.get("value") or ""


def main() -> None:
    django.setup()
    from django.test import Client

    from accounts.models import User
    from bench.figures import seconds
    from renewals.models import Renewal

    user = User.objects.create_superuser("compare@bench.example", "no", name="Compare")
    client = Client()
    client.force_login(user)

    def get(address: str) -> str:
        answer = client.get(address)
        assert answer.status_code == 200, f"{address} answered {answer.status_code}"
        return str(answer.content.decode())

    def save_in_admin(turn: int) -> Callable[[], None]:
        form = Fields()
        form.feed(get(CHANGELIST))
        data = {name: value for name, value in form.values.items() if name.startswith("form-")}
        data |= {"form-0-next_step": f"Turn {turn}", "_save": "Save"}
        row = int(data["form-0-id"])

        def save() -> None:
            answer = client.post(CHANGELIST, data)
            assert answer.status_code == 302, Fields.__doc__ and answer.content.decode()[:2000]
            assert Renewal.objects.get(pk=row).next_step == f"Turn {turn}"

        return save

    def save_here(turn: int) -> Callable[[], None]:
        row = Renewal.objects.open().order_by("due_on", "pk")[turn]
        address = f"/renewals/{row.pk}/next_step/"
        data = {"value": f"Turn here {turn}", "was": row.next_step}

        def save() -> None:
            answer = client.post(address, data, headers={"HX-Request": "true"})
            assert answer.status_code == 200, answer.content.decode()[:2000]
            assert Renewal.objects.get(pk=row.pk).next_step == f"Turn here {turn}"

        return save

    times: dict[str, list[float]] = {"page": [], "totals": [], "changelist": [], "save": [], "admin_save": []}
    for turn in range(TURNS + WARM_UP):
        for name, action in (
            ("page", lambda: get("/renewals/")),
            ("totals", lambda: get("/renewals/totals/?outcome=open")),
            ("changelist", lambda: get(CHANGELIST)),
            ("save", save_here(turn)),
            ("admin_save", save_in_admin(turn)),
        ):
            times[name].append(seconds(action) * 1000)
    print(json.dumps({name: statistics.median(found[WARM_UP:]) for name, found in times.items()}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.admin_site.settings")
    main()
