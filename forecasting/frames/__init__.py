"""The only bridge between the database and the engine: rules and rows as arrays, and arrays back as rows."""

from forecasting.frames.binary_copy import (
    Arrays,
    Column,
    copy_in,
    copy_in_bytes,
    copy_in_rows,
    copy_out,
    copy_out_bytes,
    encode_rows,
    encoded_field,
    encoded_rows,
)
from forecasting.frames.book import Accounts, Book, read_book
from forecasting.frames.fit import fit_history
from forecasting.frames.line_rows import (
    LINE_ROW,
    SCORED,
    Reporting,
    add_account_facts,
    line_rows,
    read_line_rows,
    read_reporting,
    scored_columns,
)
from forecasting.frames.rules import Rules, current_rules, day_number, load_likelihood, load_rules
from forecasting.frames.scoring import fitted_likelihood, judge, open_rows, open_steps, score_book
from forecasting.frames.training import MOST_ROWS, Training, training_rows

__all__ = [
    "LINE_ROW",
    "MOST_ROWS",
    "SCORED",
    "Accounts",
    "Arrays",
    "Book",
    "Column",
    "Reporting",
    "Rules",
    "Training",
    "add_account_facts",
    "copy_in",
    "copy_in_bytes",
    "copy_in_rows",
    "copy_out",
    "copy_out_bytes",
    "current_rules",
    "day_number",
    "encode_rows",
    "encoded_field",
    "encoded_rows",
    "fit_history",
    "fitted_likelihood",
    "judge",
    "line_rows",
    "load_likelihood",
    "load_rules",
    "open_rows",
    "open_steps",
    "read_book",
    "read_line_rows",
    "read_reporting",
    "score_book",
    "scored_columns",
    "training_rows",
]
