"""The dataset folder of a synthetic release: its files, the truth, and what `dataset.toml` and README say of them."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl

from workbench.simulate.accounts import Cast
from workbench.simulate.calendar import CAMPAIGN_END, CAMPAIGN_START
from workbench.simulate.layout import TWEET_COLUMNS, USER_COLUMNS, lay_out, write_gzip
from workbench.simulate.phrases import STORIES

NOT_ANNOUNCED = 4
"""So many accounts are listed beyond those announced, as in the release of August 2019 (936 announced, 940 listed)."""
USERS_FILE = "tidehaven_synthetic_users.csv.gz"
TWEETS_FILE = "tidehaven_synthetic_tweets_{number}.csv.gz"
_TITLE = "SYNTHETIC release: an invented operation among the invented accounts of Tidehaven, a city that does not exist"
_QUOTED = (
    {
        "about": "origin",
        "publisher": "The Tidehaven Almanac, an invented newspaper",
        "published_on": "2021-07-12",
        "quote": "Whoever ran them kept office hours and rested on Sundays",
        "title": "SYNTHETIC: notes on a tram",
    },
    {
        "about": "prevalence",
        "publisher": "The Tidehaven Almanac, an invented newspaper",
        "published_on": "2021-07-12",
        "quote": "our own morning edition repeated the rumour of the closed pier before we checked it",
        "title": "SYNTHETIC: notes on a tram",
        "breakout_step": 4,
    },
)
_NOTES = (
    "SYNTHETIC: every account, text, link and number was made by `workbench simulate`. Tidehaven does not exist.",
    "Unlike a real takedown release, this one holds organic accounts too, so that methods can be judged by truth.csv.",
    "The sister outlets of the Tidehaven Courier and the fans of The Foghorns coordinate openly and innocently.",
)


class ReleaseWriter:
    """Writes the slices of a release as they come, counts what it writes, and finishes the folder."""

    def __init__(self, folder: Path, cast: Cast, users: pl.DataFrame, *, seed: int):
        self._folder, self._cast, self._users, self._seed = folder, cast, users, seed
        self._hashes: dict[str, str] = {USERS_FILE: write_gzip(users.select(USER_COLUMNS), folder / USERS_FILE)}
        self._n_posts = np.zeros(len(cast), dtype=np.int64)
        self._n_reposts = 0
        self._languages: list[pl.DataFrame] = []
        self._planted: list[pl.DataFrame] = []

    def write_slice(self, draft: pl.DataFrame, *, number: int, rng: np.random.Generator) -> None:
        """Lay out the draft and write it as the tweets file of that number, from 1."""
        rows = lay_out(draft, self._cast, self._users, number=number, rng=rng)
        name = TWEETS_FILE.format(number=number)
        self._hashes[name] = write_gzip(rows.select(TWEET_COLUMNS), self._folder / name)
        self._n_posts += np.bincount(rows["account"], minlength=len(self._cast))
        self._n_reposts += rows.filter(pl.col("is_retweet") == "true").height
        self._languages.append(rows.group_by("tweet_language").len())
        planted = rows.filter(pl.col("story") >= 0)
        story = pl.Series(STORIES).gather(planted["story"])
        self._planted.append(planted.select(post_id="tweetid", account_id="userid", story=story, wave="wave"))

    def finish(self, *, n_posts: int) -> None:
        """Write the truth, `dataset.toml` and README."""
        self._truth().write_csv(self._folder / "truth.csv")
        write_gzip(pl.concat(self._planted), self._folder / "truth_posts.csv.gz")
        (self._folder / "dataset.toml").write_text(self._describe(n_posts=n_posts), encoding="utf-8")
        readme = files("workbench.simulate").joinpath("README.template.md").read_text(encoding="utf-8")
        facts = {"accounts": len(self._cast), "n_posts": n_posts, "seed": self._seed, "files": len(self._hashes) - 1}
        for name, value in facts.items():
            readme = readme.replace(f"{{{name}}}", str(value))
        (self._folder / "README.md").write_text(readme, encoding="utf-8")

    def _truth(self) -> pl.DataFrame:
        cast = self._cast
        story = np.array([*STORIES, ""])[cast.story]
        n_teams = int(cast.team[cast.group == "operation"].max()) + 1
        numbered = np.char.add(np.char.add(story, "-"), (cast.team + 1).astype(str)) if n_teams > 1 else story
        return pl.DataFrame(
            {
                "account_id": self._users["userid"],
                "group": cast.group,
                "role": cast.role,
                "is_operation": cast.group == "operation",
                "is_core": np.isin(cast.role, ["core", "drip"]),
                "cluster": np.where(story == "", "", numbered),
                "story": story,
                "is_repurposed": cast.is_repurposed,
                "n_posts": self._n_posts,
            }
        )

    def _describe(self, *, n_posts: int) -> str:
        figures = self._figures(n_posts=n_posts)
        source = "truth of the simulation"
        lines = [
            f"title = {_quote(_TITLE)}",
            'platform = "twitter"',
            'origin = "invented; no state, party or person is meant"',
            'licence = "SYNTHETIC data, same licence as the workbench (GPL-3.0-or-later)"',
            f'collected = "invented; campaign from {CAMPAIGN_START} to the day before {CAMPAIGN_END}"',
            f'source = "workbench simulate --accounts {len(self._cast)} --posts {n_posts} --seed {self._seed}"',
            "is_synthetic = true",
            "notes = [",
            *(f"    {_quote(note)}," for note in _NOTES),
            "]",
            "",
            "[announced]",
            f"accounts = {len(self._cast) - NOT_ANNOUNCED}",
            f"posts = {n_posts}",
            "",
            "[files]",
            *(f'"{name}" = "{sha256}"' for name, sha256 in self._hashes.items()),
        ]
        for name, value in figures.items():
            shown = _quote(value) if isinstance(value, str) else str(value)
            lines += ["", "[[published]]", f"name = {_quote(name)}", f"value = {shown}", f"source = {_quote(source)}"]
        for quoted in _QUOTED:
            lines += ["", "[[quoted]]"]
            lines += [f"{key} = {_quote(text) if isinstance(text, str) else text}" for key, text in quoted.items()]
        return "\n".join(lines) + "\n"

    def _figures(self, *, n_posts: int) -> dict[str, float | str]:
        """What a loader must find again in the files, named as `workbench check` names its figures."""
        followers = self._users["follower_count"]
        days = (
            self._users["account_creation_date"].value_counts().sort("count", "account_creation_date", descending=True)
        )
        figures: dict[str, float | str] = {
            "n_accounts_listed": len(self._cast),
            "n_accounts_active": int((self._n_posts > 0).sum()),
            "n_posts": n_posts,
            "n_reposts": int(self._n_reposts),
            "followers_sum": int(followers.sum()),
            "followers_median": float(np.median(followers.to_numpy())),
            "followers_n_zero": int((followers == 0).sum()),
            "n_accounts_pseudonymous": int(self._users["userid"].str.ends_with("=").sum()),
            "n_created_on_commonest_day": int(days["count"][0]),
        }
        languages = (
            pl.concat(self._languages)
            .group_by("tweet_language")
            .agg(pl.col("len").sum())
            .sort("len", "tweet_language", descending=True)
        )
        return figures | {f"posts_language_{lang}": int(n) for lang, n in languages.head(3).iter_rows()}


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
