"""What is hidden at the door and what the walk looks for afterwards are the same names, on one platform and on two.

A name that protecting leaves and the walk finds throws a whole report away, and its user can do nothing about it.
"""

import dataclasses
import json
import random

import polars as pl
import pytest
from releases import KEY, make_release

from workbench.leaks import find_leaks
from workbench.privacy import list_hidden_names, protect_release

IDS = ["42", "7654321", "900001234567", "100000063352111", "100000063352112", "UC7aBc_d9", "did:plc:7ab9", "t2_ab9"]
HANDLES = {
    "twitter": ["tram_fan99", "tram_fan98", "quay24", "emberdaily", "1234_5678", "UC7aBc_d9", "Ember"],
    "bluesky": ["harbour.example", "tram.fan.example", "news24.example", "quay24.harbour.example"],
    "facebook": ["tram_fan99", "tram.fan.example", "quay24", "page-77", "1234_5678"],
    "mastodon": ["tram_fan99", "quay24", "well-known", "______", "emberdaily"],
    "telegram": ["港口_2019", "港口电台", "ember_77777", "x.y"],
}
CALLED = ["Tram Fans of Ember", "Quay 24 Friends", "港口电台", "www.quay.example", "St.Ember", "tram!7fan", "O'Hara99"]
NAMES = sorted({*IDS, *CALLED, *(handle for handles in HANDLES.values() for handle in handles)})
FORMS = [
    "{}", "@{}", "#{}", "see {} now", "说{}吗", "({})", "{}.", "{}, {}", "x{}", "{}_x", "{}@mail.example",
    "https://{}/a", "https://{}.example/b", "https://blog.example/{}/c", "hxxps://{}[.]example", "t.me/{}",
    "https://twitter.com/{}", "https://www.facebook.com/{}/posts/1", "bsky.app/profile/{}", "a &amp; {} &lt;3",
]  # fmt: skip


def invent(rng: random.Random, platform: str):
    ids = rng.sample(IDS, rng.randint(1, 4))
    accounts = [
        {
            "account_id": account_id,
            "platform": platform,
            "handle": rng.choice([None, *HANDLES[platform]]),
            "display_name": rng.choice([None, *CALLED, *HANDLES[platform]]),
            "n_followers": rng.choice([3, 70_000]),
            "location": rng.choice([None, "Port Ember"]),
            "description": rng.choice([None, write(rng)]),
        }
        for account_id in ids
    ]
    posts = []
    for number in range(rng.randint(1, 8)):
        text = " ".join(write(rng) for _ in range(rng.randint(1, 3)))
        posts.append(
            {
                "post_id": f"p{number}{platform}",
                "platform": platform,
                "account_id": rng.choice(ids),
                "text": text,
                "mentions": rng.sample(HANDLES[platform], rng.randint(0, 2)),
                "hashtags": rng.choice([[], ["tram_fan99"], ["港口_2019"], ["Ember"], ["quay24"]]),
                "urls": [word for word in text.split() if word.startswith("https://")],
                "reply_to_account_id": rng.choice([None, *IDS]),
            }
        )
    release = make_release(accounts, posts)
    about = dataclasses.replace(release.about, platform=platform, announced_accounts=rng.choice([None, 5]))
    return dataclasses.replace(release, about=about)


def write(rng: random.Random) -> str:
    return rng.choice(FORMS).replace(
        "{}", rng.choice([name for name in NAMES if name not in ("900001234567", "7654321", "42")])
    )


def show(folder, name, release):
    for table in ("accounts", "posts"):
        rows = getattr(release, table).to_dicts()
        (folder / f"{name}_{table}.json").write_text(
            json.dumps(rows, default=str, ensure_ascii=False), encoding="utf-8"
        )


@pytest.mark.parametrize("seed", range(60))
def test_what_protecting_leaves_the_walk_lets_pass(tmp_path, seed):
    rng = random.Random(seed)
    first, second = (invent(rng, platform) for platform in rng.sample(sorted(HANDLES), 2))
    show(tmp_path, "a", protect_release(first, key=KEY, beside=list_hidden_names(second, key=KEY)))
    show(tmp_path, "b", protect_release(second, key=KEY, beside=list_hidden_names(first, key=KEY)))

    assert find_leaks(tmp_path, first, second=second).rows() == []


@pytest.mark.parametrize("seed", range(60, 90))
def test_so_it_is_where_one_release_holds_both_platforms(tmp_path, seed):
    rng = random.Random(seed)
    one, two = (invent(rng, platform) for platform in rng.sample(sorted(HANDLES), 2))
    accounts, posts = (pl.concat([getattr(one, name), getattr(two, name)]) for name in ("accounts", "posts"))
    both = dataclasses.replace(one, accounts=accounts, posts=posts)
    show(tmp_path, "both", protect_release(both, key=KEY))

    assert find_leaks(tmp_path, both).rows() == []


def test_the_walk_would_have_found_the_names(tmp_path):
    """The test above can fail: without the other platform's names the same releases leak."""
    n_leaking = 0
    for seed in range(60):
        rng = random.Random(seed)
        first, second = (invent(rng, platform) for platform in rng.sample(sorted(HANDLES), 2))
        show(tmp_path, "a", protect_release(first, key=KEY))
        n_leaking += find_leaks(tmp_path, first, second=second).height > 0

    assert n_leaking > 10


@pytest.fixture
def pages():
    riders = {"account_id": "100000063352111", "handle": "tram.riders", "display_name": "Riders 24"}
    news = {"account_id": "900001234", "handle": "quay24", "display_name": "Quay News", "n_followers": 70_000}
    ember = {"account_id": "900005678", "handle": "ember_77", "display_name": "Ember"}
    post = {"post_id": "1", "platform": "facebook", "account_id": "900005678", "text": "good morning"}
    return make_release([account | {"platform": "facebook"} for account in (riders, news, ember)], [post])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the page ember_77 said", "the page {900005678} said"),
        ("the page Ember_77's", "the page {900005678}'s"),
        ("tram.riders wrote", "{100000063352111} wrote"),
        ("Riders 24 wrote", "{100000063352111} wrote"),
        ("its number is 100000063352111, 900005678", "its number is {100000063352111}, {900005678}"),
        ("https://blog.example/Riders%2024/a", "https://blog.example/{100000063352111}/a"),
        ("what Ember and quay24 and Quay News are called", "what Ember and quay24 and Quay News are called"),
        ("my ember_777 and xtram.riders", "my ember_777 and xtram.riders"),
    ],
)
def test_names_of_the_other_platform_become_the_pseudonyms_they_have_there(pages, text, left):
    tweets = make_release([{"account_id": "7"}], [{"post_id": "1", "account_id": "7", "text": text}])
    shown = protect_release(pages, key=KEY).accounts["account_id"]
    for account_id, pseudonym in zip(pages.accounts["account_id"], shown, strict=True):
        left = left.replace(f"{{{account_id}}}", pseudonym)

    protected = protect_release(tweets, key=KEY, beside=list_hidden_names(pages, key=KEY))
    assert protected.posts["text"][0] == left


def test_a_site_that_posts_link_to_stays_one_whoever_is_called_like_it():
    link = "https://www.harbour.example/a"
    account = {"account_id": "did:plc:1", "handle": "harbour.example", "display_name": "harbour.example"}
    post = {"post_id": "1", "account_id": "did:plc:1", "text": f"{link} by @harbour.example", "urls": [link]}
    release = make_release([account | {"platform": "bluesky"}], [post | {"platform": "bluesky"}])
    protected = protect_release(release, key=KEY)
    account = protected.accounts["account_id"][0]

    assert protected.posts["text"][0] == f"{link} by @{account}"
    assert protected.posts["urls"][0].to_list() == [link]


def one_post(platform, handle, *, account_id="7", **post):
    account = {"account_id": account_id, "platform": platform, "handle": handle}
    return make_release([account], [{"post_id": "1", "account_id": account_id, "platform": platform, **post}])


def test_the_address_of_a_person_at_their_platform_is_no_site():
    link = "https://anna77.bsky.social"
    post = protect_release(one_post("bluesky", "anna77.bsky.social", text=f"see {link}", urls=[link]), key=KEY).posts
    assert "anna77" not in post["text"][0] + post["urls"][0][0]


def test_the_end_of_a_host_is_a_sites_name_and_what_stands_before_may_be_an_accounts():
    """A site like news24.example must stay what others call it, or it is no longer found in lists and on both sides."""
    links = ["https://www.news24.example/a", "https://news24.blogs.example/b", "https://blogs.co.uk/news24"]
    release = one_post("twitter", "news24", text=" ".join(links), urls=links)
    account = protect_release(release, key=KEY).accounts["account_id"][0]
    shown = [links[0], f"https://{account}.blogs.example/b", f"https://blogs.co.uk/{account}"]

    assert protect_release(release, key=KEY).posts["urls"][0].to_list() == shown
    assert protect_release(release, key=KEY).posts["text"][0] == " ".join(shown)


@pytest.mark.parametrize(
    ("platform", "handle", "text"),
    [
        ("facebook", "maria.lopez.75", "MARIA.LOPEZ.75 and Maria.Lopez.75"),
        ("facebook", "maria.lopez.75", "https://blog.example/Maria.Lopez.75/a"),
        ("reddit", "Quay-Watcher", "thanks u/Quay-Watcher"),
        ("twitter", "Порт_77", "@Порт_77"),
    ],
)
def test_other_ways_to_write_a_handle(tmp_path, platform, handle, text):
    release = one_post(platform, handle, text=text)
    protected = protect_release(release, key=KEY)

    assert handle.lower() not in protected.posts["text"][0].lower()
    show(tmp_path, "a", protected)
    assert find_leaks(tmp_path, release).rows() == []
    show(tmp_path, "b", release)
    assert find_leaks(tmp_path, release).height > 0


@pytest.mark.parametrize(
    ("said", "file", "content"),
    [
        ("12", "t.csv", "cluster_id,n_accounts\n1,12\n"),
        ("media", "report.html", "<style>@media print{p{color:red}}</style><p>good morning</p>"),
        ("watch", "report.html", "youtube.com/watch?v=1, reddit.com/u/x and twitter.com/hashtag/MAGA"),
        ("maga", "report.html", "https://twitter.com/hashtag/MAGA"),
    ],
)
def test_one_mention_of_a_word_makes_no_name_of_every_word_in_a_report(tmp_path, said, file, content):
    release = one_post("twitter", "tram_fan99", text=f"@{said} good morning", mentions=[said])
    (tmp_path / file).write_text(content, encoding="utf-8")

    assert find_leaks(tmp_path, release).rows() == []


def test_without_other_platforms_nothing_is_added():
    nobody = make_release([], [])

    assert list_hidden_names(nobody, key=KEY).is_empty()
    release = make_release([{"account_id": "7"}], [{"post_id": "1", "account_id": "7", "text": "ember_77"}])
    beside = list_hidden_names(nobody, key=KEY)
    assert protect_release(release, key=KEY, beside=beside).posts.equals(protect_release(release, key=KEY).posts)
