"""What each column of an account's profile means, where it comes from, and what else would explain it."""

from __future__ import annotations

import polars as pl


def list_features() -> pl.DataFrame:
    """Return the columns of `profile_accounts`, one row each: feature, what, source, beware.

    A source is the work that used the feature on influence operations; "ours" is said where the measure is not theirs.
    """
    rows = [
        (feature, what, source, beware) for features, what, source, beware in _FEATURES for feature in features.split()
    ]
    return pl.DataFrame(rows, schema=["feature", "what", "source", "beware"], orient="row")


_ACTIVITY = "Counted in the posts."
_FEATURES = (
    (
        "created_at",
        "When the account was made, according to the platform.",
        "Bellingcat 2020 (accounts made in batches); the test of days is ours, see `find_creation_bursts`.",
        "News, the launch of an app or an invitation brings many people on one day.",
    ),
    (
        "n_followers n_following followers_per_following",
        "Followers and accounts followed when the data was collected, and their ratio (null if it follows none).",
        "Uren, Thomas and Wallis 2019 (ASPI).",
        "Bought followers and follow-back rings lift the ratio; a real newcomer has few followers.",
    ),
    (
        "handle_tail_digits",
        "Digits at the end of the handle; null where a hash stands for it.",
        "Beskow and Carley 2018 look at handles of bulk accounts; the count is ours.",
        "Platforms propose handles with a tail of digits to everybody.",
    ),
    (
        "handle_surprise",
        (
            "How unusually the letters of the handle follow each other, beside all other handles, in bits a character; "
            "a random string lies far above the middle."
        ),
        "Beskow and Carley 2018 (character bigrams of random names); learning from the release itself is ours.",
        "Initials, abbreviations and handles in a language that few here use look random too.",
    ),
    (
        "name_tail_digits name_surprise",
        (
            "The same of the display name: digits at its end, and how unusually its letters follow each other; null "
            "where a hash stands for it, the latter also where it is not written in Latin letters."
        ),
        "As for handles.",
        "Years of birth, lucky numbers, slogans and names from abroad.",
    ),
    (
        "n_same_name",
        "Other accounts of the platform with the same display name.",
        "Keller et al. 2020 (campaign accounts with copied profiles); the count is ours.",
        "Many people share a name.",
    ),
    (
        "n_same_description n_similar_description",
        (
            "Other accounts with the same biography, and with nearly the same one (70 % of its four-character pieces); "
            "null without a biography."
        ),
        "Broder 1997 for the likeness; copied profiles: Keller et al. 2020.",
        "Slogans, empty phrases and the biographies of sister pages repeat.",
    ),
    (
        "n_posts first_at last_at n_active_days repost_frac reply_frac link_frac",
        (
            "Posts in the data; the first and the last; days with a post; share of posts that are reposts, replies, or "
            "hold a link."
        ),
        _ACTIVITY,
        "A release may hold only a part of what an account posted.",
    ),
    (
        "busiest_hours_frac",
        "Share of posts in the account's busiest nine hours of the day, on whatever clock; 9/24 if spread evenly.",
        "The office-hour argument of Uren, Thomas and Wallis 2019, without a clock; ours.",
        "Few posts are never spread evenly; people sleep, and many post only after work.",
    ),
    (
        "n_clients main_client main_client_frac",
        "Applications it posted from, the commonest, and that one's share.",
        "Linvill and Warren 2020 describe operators' tools; the count is ours.",
        "Newsrooms and shops schedule through tools as well.",
    ),
    (
        "longest_gap_days gap_ended_at is_revived",
        "Its longest silence, when that ended, and whether it lasted 180 days or more with 10 posts on either side.",
        "Repurposed accounts: Uren, Thomas and Wallis 2019.",
        "People pause and come back.",
    ),
    (
        "language_before language_after switched_at switch_gain",
        (
            "The moment that best tells two main languages apart; null unless each side has 10 posts and the split "
            "explains at least 20 points more of the posts than one language does."
        ),
        "Repurposed accounts: Uren, Thomas and Wallis 2019; the split is ours.",
        "People move, learn languages and change jobs; short texts are misread.",
    ),
    (
        "topic_switched_at topic_gain",
        (
            "The moment after which its hashtags and linked sites are other ones: each side is like itself (odd posts "
            "against even ones) by at least 0.3 more, in cosine, than the two sides are like each other."
        ),
        "Repurposed accounts: Uren, Thomas and Wallis 2019; the measure is ours.",
        "Seasons, elections and new hobbies change what anybody speaks of.",
    ),
    (
        "volume_changed_at volume_ratio",
        (
            "The week from which it posted at least four times as much as before, or a quarter; null unless the change "
            "has p of 0.001 or less."
        ),
        "Pettitt 1979.",
        "Weeks are not independent: holidays, events and platform changes make such steps too.",
    ),
    (
        "n_resale_phrases",
        'Posts that read like trying out a bought account ("test new owner").',
        "E. Thomas 2019; the list is `workbench/data/resale_phrases.txt`.",
        '"Test" is what many first posts say.',
    ),
)
