import pytest

from accounts.templatetags.look import bar, grouped, icon, initials, state


def test_icon_is_hidden_from_screen_readers() -> None:
    assert icon("x") == '<svg class="p-icon" aria-hidden="true"><use href="/static/icons.svg#x"></use></svg>'


def test_icon_with_a_label_is_spoken_and_escaped() -> None:
    assert icon("flag", 'a "b" <c>') == (
        '<svg class="p-icon" role="img" aria-label="a &quot;b&quot; &lt;c&gt;"><title>a &quot;b&quot; &lt;c&gt;</title>'
        '<use href="/static/icons.svg#flag"></use></svg>'
    )


def test_state_is_icon_word_and_colour() -> None:
    assert state("overdue", 12) == f'<span class="p-state p-state-overdue">{icon("alert-triangle")}Overdue 12 d</span>'
    assert state("win_back") == f'<span class="p-state p-state-win_back">{icon("refresh")}Win-back</span>'


@pytest.mark.parametrize(("percent", "width"), [(-5, 0), (0, 0), (68.6, 69), (100, 100), (140, 100)])
def test_bar_stays_between_nothing_and_full(percent: float, width: int) -> None:
    assert bar(percent, "bad") == (
        f'<svg class="p-bar p-bar-bad" aria-hidden="true"><rect width="{width}%" height="100%" rx="2"></rect></svg>'
    )


def test_grouped_writes_thousands() -> None:
    assert [grouped(number) for number in (0, 999, 1284, 1_000_000)] == ["0", "999", "1,284", "1,000,000"]


def test_initials_stand_for_a_person() -> None:
    assert [initials(name) for name in ("Ana Lucía Ortega", "Bo", "", "øyvind å")] == ["AO", "B", "", "ØÅ"]
