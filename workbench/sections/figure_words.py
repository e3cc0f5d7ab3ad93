"""The names of published figures in words: what a reader of a report sees in place of "posts_language_zh"."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from workbench.sections.base import say_day, say_language, say_list


def say_figure(name: str) -> str:
    """Return the name of a published figure in words: "posts_language_zh" is "posts in Chinese"."""
    figure, _, file = name.partition(" in ")
    for pattern, words in _FIGURE_WORDS:
        figure = re.sub(pattern, words, figure)
    text = figure.replace("_", " ")
    return f"{text}, in file {file}" if file else text


def _say_languages(found: re.Match[str]) -> str:
    return f" in {say_list([say_language(code) for code in found['codes'].split('+')])}"


_FIGURE_WORDS: tuple[tuple[str, Any], ...] = (
    (r"^n_display_names_active$", "different display names of active accounts"),
    (r"^n_accounts_pseudonymous$", "accounts whose id is a pseudonym"),
    (r"^n_created_on_commonest_day$", "accounts created on the day most were"),
    (r"^n_account_languages$", "different languages of accounts"),
    (r"^n_post_languages$", "different languages of posts"),
    (r"^n_creation_days$", "days on which accounts were created"),
    (r"^n_hashtag_lists$", "different lists of hashtags"),
    (r"^n_unique_texts$", "different texts"),
    (r"^n_unique_minutes$", "different minutes with a post"),
    (r"^n_locations$", "different places stated"),
    (
        r"^n_(locations|bios)_filled$",
        lambda found: f"accounts with a {'place' if found[1] == 'locations' else 'biography'}",
    ),
    (r"^(first|last)_account_created_on$", r"day the \1 account was created"),
    (
        r"^accounts_language_(?:any_case_)?(?P<codes>[A-Za-z-]+)",
        lambda found: f"accounts set to {say_language(found['codes'])}",
    ),
    (r"^following_(?=n_)", "accounts followed_"),
    (r"^following", "accounts followed"),
    (r"_n_at_least_(\d+)$", r": accounts with \1 or more"),
    (r"_n_below_(\d+)$", r": accounts with fewer than \1"),
    (r"_n_zero$", ": accounts with none"),
    (r"_sum$", ", added up"),
    (r"_mean$", ", mean"),
    (r"_median$", ", median"),
    (r"_p75$", ", upper quartile"),
    (r"_max$", ", most of one account"),
    (
        r"posts_working_hours_frac_(?P<codes>[A-Za-z-]+)",
        lambda found: f"share of posts{_say_languages(found)} made from 9:00 to 17:59 Beijing time",
    ),
    (r"_frac$", ", share"),
    (r"_languages?_(?P<codes>[A-Za-z+-]+)", _say_languages),
    (r"posts_not_rt", "posts that do not start with “RT @”"),
    (r"posts_rt", "posts that start with “RT @”"),
    (r"^n_", ""),
    (r"(\d{4}-\d\d-\d\d)", lambda found: say_day(date.fromisoformat(found[1]))),
)
"""How the names of `published_figures` are read out, in this order."""
