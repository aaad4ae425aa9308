"""Operations taken as one step: what they make, and that they can be taken back."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from config.one_step import InOneStep

SHELVES = InOneStep(
    [
        migrations.CreateModel(
            "Shelf",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("first", models.ForeignKey("shelves.Book", models.CASCADE, null=True, related_name="+")),
            ],
        ),
        migrations.CreateModel(
            "Book",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=20)),
                ("shelf", models.ForeignKey("shelves.Shelf", models.CASCADE, related_name="books")),
            ],
            {"indexes": [models.Index(fields=["title"], name="book_title")]},
        ),
    ]
)
PRICES = InOneStep(
    [
        migrations.AddField("book", "cents", models.IntegerField(default=0)),
        migrations.AddConstraint("book", models.CheckConstraint(condition=models.Q(cents__gte=0), name="book_price")),
        migrations.CreateModel(
            "Review",
            [("book", models.OneToOneField("shelves.Book", models.CASCADE, primary_key=True))],
            {"indexes": [models.Index(fields=["-book"], name="review_newest")]},
        ),
    ]
)


def columns() -> dict[str, list[str]]:
    with connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name.startswith("shelves_")]
        return {
            name: [column.name for column in connection.introspection.get_table_description(cursor, name)]
            for name in sorted(tables)
        }


def constraints(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {
            name
            for name in connection.introspection.get_constraints(cursor, table)
            if name.startswith(("book", "review"))
        }


def forwards(migration: migrations.Migration, state: ProjectState) -> ProjectState:
    with connection.schema_editor() as editor:
        return migration.apply(state, editor)


def migration_of(operation: InOneStep) -> migrations.Migration:
    migration = migrations.Migration("0001", "shelves")
    migration.operations = [operation]
    return migration


@pytest.mark.django_db
def test_a_step_makes_tables_that_refer_to_each_other_and_takes_them_back() -> None:
    empty = ProjectState()
    forwards(migration_of(SHELVES), empty.clone())
    assert columns() == {"shelves_book": ["id", "title", "shelf_id"], "shelves_shelf": ["id", "first_id"]}
    assert constraints("shelves_book") == {"book_title"}
    with connection.schema_editor() as editor:
        migration_of(SHELVES).unapply(empty.clone(), editor)
    assert columns() == {}


@pytest.mark.django_db
def test_a_step_adds_to_what_was_there_and_takes_only_that_back() -> None:
    before = forwards(migration_of(SHELVES), ProjectState())
    assert "apps" in before.__dict__  # built models are what a step has to leave behind
    forwards(migration_of(PRICES), before.clone())
    assert columns() == {
        "shelves_book": ["id", "title", "shelf_id", "cents"],
        "shelves_review": ["book_id"],
        "shelves_shelf": ["id", "first_id"],
    }
    assert constraints("shelves_book") == {"book_price", "book_title"}
    assert constraints("shelves_review") == {"review_newest"}
    with connection.schema_editor() as editor:
        migration_of(PRICES).unapply(before.clone(), editor)
    assert columns() == {"shelves_book": ["id", "title", "shelf_id"], "shelves_shelf": ["id", "first_id"]}
    assert constraints("shelves_book") == {"book_title"}
