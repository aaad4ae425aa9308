from engagement.feedback.suggestions import Pair, frequent_pairs, pairs_of


def test_pairs_are_neighbours_that_name_something() -> None:
    assert pairs_of("The Data export fails: cannot save") == {"data export", "export fails"}


def test_numbers_and_compounds_part_their_neighbours() -> None:
    assert pairs_of("invoice 12 export, single-sign on page x report") == set()


def test_a_pair_counts_once_for_each_account() -> None:
    texts = [(1, "Data export fails")] * 50 + [(2, "data export is slow"), (3, "Slow DATA EXPORT again")]
    texts += [(4, "Password reset"), (5, "password reset"), (6, "password reset"), (7, "my password reset")]
    texts += [(8, "login page"), (9, "login page")]
    assert frequent_pairs(texts) == [Pair("password reset", 4, 4), Pair("data export", 3, 52)]


def test_nothing_in_common_suggests_nothing() -> None:
    assert frequent_pairs([]) == []
