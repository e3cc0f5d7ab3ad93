import pytest

from workbench.sections.base import say_count, say_list, say_percent, say_share, say_times, say_verb, say_window


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (say_count(1, "account"), "1 account"),
        (say_count(2040, "account"), "2,040 accounts"),
        (say_count(0, "reply"), "0 replies"),
        (say_count(2, "hashtag sequence"), "2 hashtag sequences"),
        (say_count(2, "batch"), "2 batches"),
        (say_count(2, "day"), "2 days"),
        (say_count(2, "person", plural="people"), "2 people"),
        (say_share(81, 940, noun="account"), "81 of 940 accounts (8.6%)"),
        (say_share(0, 0, noun="account"), "0 of 0 accounts"),
        (say_share(1, 1, noun="account"), "1 of 1 account (100%)"),
        (say_percent(0), "0%"),
        (say_percent(0.0004), "< 0.1%"),
        (say_percent(0.9996), "> 99.9%"),
        (say_percent(0.123), "12.3%"),
        (say_times(27.31), "27 times"),
        (say_times(3.42), "3.4 times"),
        (say_list(["a"]), "a"),
        (say_list([]), ""),
        (say_list(["a", "b", "c"]), "a, b and c"),
        (say_list(list("abcdefg")), "a, b, c, d, e and 2 others"),
        (say_verb(1, "was"), "was"),
        (say_verb(2, "has"), "have"),
        (say_window(1), "1 second"),
        (say_window(60), "60 seconds"),
        (say_window(600), "10 minutes"),
        (say_window(7200), "2 hours"),
        (say_window(0.5), "0.5 seconds"),
        (say_window(None), "any time"),
    ],
)
def test_numbers_in_words(said, words):
    assert said == words
