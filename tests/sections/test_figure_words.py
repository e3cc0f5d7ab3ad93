import re

import pytest

from workbench.published_figures import FIGURES
from workbench.sections.figure_words import say_figure

EXAMPLES = {
    "language": "zh", "languages": "zh+en", "day": "2031-08-30", "month": "2031-08", "year": "2031", "n": "500",
    "count": "followers",
}  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_every_figure_is_read_out_in_words(figure):
    name = re.sub(r"\{(\w+)\}", lambda found: EXAMPLES[found[1]], figure.name)
    said = say_figure(name)
    assert figure.match(name) is not None
    assert "_" not in said
    assert not re.search(r"\b(n|frac|rt|zh|p75)\b", said)


def test_no_two_figures_of_one_kind_are_read_alike():
    said = [say_figure(re.sub(r"\{(\w+)\}", lambda found: EXAMPLES[found[1]], one.name)) for one in FIGURES]
    twice = {words for words in said if said.count(words) > 1}
    assert twice == {"accounts set to Chinese"}  # with and without regard to capitals


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("n_accounts_listed", "accounts listed"),
        ("posts_language_zh", "posts in Chinese"),
        ("posts_language_in", "posts in Indonesian"),
        ("accounts_created_on_2031-08-30", "accounts created on 30 August 2031"),
        ("followers_n_at_least_500", "followers: accounts with 500 or more"),
        ("following_median", "accounts followed, median"),
        ("posts_not_rt_languages_zh+en_in_2031", "posts that do not start with “RT @” in Chinese and English in 2031"),
        ("n_accounts_listed in users_1", "accounts listed, in file users_1"),
        ("some_new_figure", "some new figure"),
    ],
)
def test_figures_by_hand(name, said):
    assert say_figure(name) == said
