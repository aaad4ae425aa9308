"""Accounts that look like one another: by name, but for what two people spell differently."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import Any, Final

# Written without their dots and slashes: S.A. is sa, A/S is as.
LEGAL_FORMS: Final = frozenset(
    (
        *("ab", "ag", "aps", "as", "asa", "bhd", "bv", "co", "company", "corp", "corporation", "ev", "gbr", "gmbh"),
        *("inc", "incorporated", "kft", "kg", "kgaa", "kk", "lda", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh"),
        *("nv", "ohg", "oy", "oyj", "plc", "private", "pte", "pty", "pvt", "sa", "sab", "sarl", "sas", "sdn", "se"),
        *("sl", "slu", "spa", "spzoo", "srl", "sro", "ug"),
    )
)
KEY_LENGTH: Final = 400  # a single letter of Unicode may fold to eighteen
JOINED: Final = re.compile(r"[.'’`´/]")
NOT_IN_A_WORD: Final = re.compile(r"[\W_]+")
# Spellings with a space in the middle of one legal form.
SPLIT_FORMS: Final = re.compile(r"\bsp z ?o ?o\b|\bpty ltd\b|\bs r o\b")

# What changed, and what is left of accounts that are gone: the name of a deleted customer must not stay behind.
# A family is known by its head, the account that the others name as theirs.
CHANGED: Final = """
SELECT account_id, a.name, a.family_id
FROM (SELECT id AS account_id, name, coalesce(family_id, id) AS family_id FROM accounts_account) a
FULL JOIN renewals_accountname n USING (account_id)
WHERE (n.name, n.family_id) IS DISTINCT FROM (a.name, a.family_id)
"""
STAGE: Final = "CREATE TEMPORARY TABLE folded_name (account_id bigint, name text, family_id bigint, key text)"
STORE: Final = """
INSERT INTO renewals_accountname (account_id, name, family_id, key) SELECT * FROM folded_name
ON CONFLICT (account_id) DO UPDATE SET name = EXCLUDED.name, family_id = EXCLUDED.family_id, key = EXCLUDED.key
"""


def fold_name(name: str) -> str:
    """The key of a name: two accounts whose names have the same key look like one customer.

    Case, accents, punctuation, a leading "the", "&" for "and", and legal forms at the end do not count. A name that is
    nothing but these is its own key.
    """
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    plain = NOT_IN_A_WORD.sub(" ", JOINED.sub("", plain)).strip()
    words = SPLIT_FORMS.sub(lambda form: form[0].replace(" ", "") if form[0][0] == "s" else "ltd", plain).split()
    kept = words[1:] if words[:1] == ["the"] and len(words) > 1 else words
    while len(kept) > 1 and kept[-1] in LEGAL_FORMS | {"and"}:
        kept = kept[:-1]
    return (" ".join(kept) or name.strip())[:KEY_LENGTH]


def fold_new_names(cursor: Any) -> int:
    """Bring the stored keys up to date with the accounts; how many were folded or forgotten."""
    cursor.execute(CHANGED)
    changed = cursor.fetchall()
    if not changed:
        return 0
    gone = [pk for pk, name, _ in changed if name is None]
    cursor.execute("DELETE FROM renewals_accountname WHERE account_id = ANY(%s)", [gone])
    lines = io.StringIO()
    rows = csv.writer(lines)
    rows.writerows((pk, name, family_id, fold_name(name)) for pk, name, family_id in changed if name is not None)
    lines.seek(0)
    cursor.execute(STAGE)
    cursor.copy_expert("COPY folded_name FROM STDIN (FORMAT csv)", lines)
    cursor.execute(STORE)
    cursor.execute("DROP TABLE folded_name")
    cursor.execute("ANALYZE renewals_accountname")
    return len(changed)
