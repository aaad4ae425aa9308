"""Names that count as the same, and names that do not."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renewals.quality.duplicates import fold_name


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ACME", "acme"),
        ("Acme, Inc.", "acme"),
        ("The Acme Company, Ltd.", "acme"),
        ("Müller GmbH & Co. KG", "muller"),
        ("MULLER", "muller"),
        ("Société Générale S.A.", "societe generale"),
        ("O’Dell & Sons", "odell and sons"),
        ("O'Dell and Sons Ltd", "odell and sons"),
        ("Foo Sp. z o.o.", "foo"),
        ("Bar s.r.o.", "bar"),
        ("Baz Pty. Ltd.", "baz"),
        ("Maersk A/S", "maersk"),
        ("株式会社 山田", "株式会社 山田"),
        ("Яндекс", "яндекс"),
        ("AG", "ag"),  # nothing but a legal form: its own key
        ("The", "the"),
        ("--", "--"),
    ],
)
def test_fold_name(name: str, key: str) -> None:
    assert fold_name(name) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme North", "Acme South"), ("Berlin Zoo", "Berlin"), ("Delta Holding", "Delta"), ("A1", "A2")],
)
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)


@given(st.text(min_size=1, max_size=200))
@example("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 200)
def test_any_name_has_a_key_that_fits_its_column(name: str) -> None:
    key = fold_name(name)
    assert len(key) <= 400
    assert bool(key) == bool(name.strip())
