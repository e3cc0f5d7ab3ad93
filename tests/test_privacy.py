"""Nobody is named who may not be, everything still joins, and addresses lose and regain their teeth."""

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from releases import KEY, make_release

from workbench import hidden_text, keys, pseudonyms
from workbench.privacy import PrivacyError, protect_release, read_key
from workbench.schema import ParameterError, Release

PSEUDONYM = r"^acct_[a-z2-7]{12}$"


@pytest.fixture
def release() -> Release:
    return make_release(
        [
            {"account_id": "1001", "handle": "BigPaper", "display_name": "Big Paper", "n_followers": 5000,
             "location": "Port Ember", "description": "News. Tip @small_fry7 or tips@ember.example, +44 20 7946 0000"},
            {"account_id": "1002", "handle": "small_fry7", "display_name": "Small Fry", "n_followers": 4999,
             "location": "Port Ember", "description": "I love trams and tea"},
            {"account_id": "1003", "handle": "nobody_0", "display_name": "N", "n_followers": 0,
             "description": "I love trams and tea!"},
            {"account_id": "hashed+id/AAA=", "handle": "hashed+id/AAA=", "n_followers": 90_000,
             "is_pseudonymous": True},
            {"account_id": "1005", "handle": "unknown_n", "n_followers": None},
        ],
        [
            {"post_id": "900001", "account_id": "1001", "text": "Trams run late, says @BigPaper to @SMALL_fry7."},
            {"post_id": "900002", "account_id": "1002", "text": "RT @BigPaper: Trams run late", "mentions": ["1001"],
             "repost_of_id": "900001", "repost_of_account_id": "1001"},
            {"post_id": "900003", "account_id": "1003", "text": "@stranger look: https://twitter.com/small_fry7/status/900002?s=20",
             "mentions": ["stranger", "Small_Fry7"], "urls": ["https://twitter.com/small_fry7/status/900002"],
             "reply_to_id": "900002", "reply_to_account_id": "1002"},
            {"post_id": "900004", "account_id": "1003", "text": "RT @far_away: x", "repost_of_id": "800001",
             "repost_of_account_id": "77", "quote_of_id": "900003"},
            {"post_id": "900005", "account_id": "hashed+id/AAA=",
             "text": "write to small_fry7 or me@post.example 你好@stranger你好"},
        ],
    )  # fmt: skip


def test_only_published_accounts_with_enough_followers_stay_clear(release):
    shown = protect_release(release, key=KEY).accounts

    assert shown["account_id"].str.contains(PSEUDONYM).to_list() == [False, True, True, True, True]
    assert shown["account_id"][0] == "1001"
    assert shown["handle"][0] == "BigPaper"
    assert shown["location"].to_list() == ["Port Ember", None, None, None, None]
    assert shown["handle"][1] == shown["display_name"][1] == shown["account_id"][1]
    assert shown["is_pseudonymous"].to_list() == [False, True, True, True, True]
    assert shown["n_followers"].equals(release.accounts["n_followers"])


def test_ids_and_handles_inside_posts_give_the_same_pseudonym(release):
    protected = protect_release(release, key=KEY)
    _, small, nobody, hashed, _ = protected.accounts["account_id"]
    posts = protected.posts

    assert posts["account_id"].to_list() == ["1001", small, nobody, nobody, hashed]
    assert posts["mentions"][1].to_list() == ["1001"]
    assert posts["mentions"][2][1] == small
    assert posts["reply_to_account_id"][2] == small
    assert posts["repost_of_account_id"][1] == "1001"
    assert posts["text"][0] == f"Trams run late, says @BigPaper to @{small}."
    assert posts["text"][1] == "RT @BigPaper: Trams run late"
    stranger = posts["mentions"][2][0]
    assert posts["text"][2].startswith(f"@{stranger} look: https://twitter.com/{small}/status/post_")
    assert posts["text"][4] == f"write to {small} or [e-mail] 你好@{stranger}你好"


def test_post_ids_still_join_and_lead_to_no_hidden_author(release):
    posts = protect_release(release, key=KEY).posts

    assert posts["post_id"][0] == "900001"
    assert posts["repost_of_id"][1] == "900001"
    assert posts["reply_to_id"][2] == posts["post_id"][1]
    assert posts["quote_of_id"][3] == posts["post_id"][2]
    assert posts["post_id"][1:].str.contains("^post_[0-9a-f]{16}$").all()
    assert posts["repost_of_id"][3].startswith("post_")
    assert posts["urls"][2][0].endswith("/status/" + posts["post_id"][1])


class NeverWalked(frozenset):
    """A set that may be asked, and not walked: with a million posts in the clear a walk takes half a second."""

    def __iter__(self):
        raise AssertionError("a look at one post walked over all of them")


def name_posts(clear_posts: frozenset[str]) -> pseudonyms.Names:
    nobody = frozenset()
    return pseudonyms.Names("twitter", KEY, nobody, nobody, {}, 0, nobody, clear_posts=clear_posts)


def test_one_post_is_shown_as_in_a_column_and_without_a_walk_over_all_posts():
    ids = ["900001", "900002", "", "post_0123456789abcdef", "post_0123", "acct_aaaaaaaaaaaa", "ünï"]
    column = name_posts(frozenset({"900001", "800001"})).show_posts(pl.Series(ids)).to_list()
    names = name_posts(NeverWalked({"900001", "800001"}))

    assert [names.show_post(name) for name in ids] == column
    assert [shown == name for name, shown in zip(ids, column, strict=True)] == [
        True, False, False, True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("ids", [["a", None, "b"], [None, "a"], [None, None], [], ["clear", None, "a"]])
def test_a_column_of_posts_keeps_its_rows_where_some_have_no_id(ids):
    shown = name_posts(frozenset({"clear"})).show_posts(pl.Series(ids, dtype=pl.String))

    assert [name is None for name in shown] == [name is None for name in ids]
    assert shown.drop_nulls().to_list() == [name_posts(frozenset({"clear"})).show_post(x) for x in ids if x is not None]


def test_no_hidden_name_survives_anywhere(release):
    protected = protect_release(release, key=KEY)
    everything = str(protected.accounts.to_dicts()) + str(protected.posts.to_dicts())

    for name in ["1002", "1003", "small_fry7", "Small Fry", "nobody_0", "hashed+id", "unknown_n", "stranger",
                 "far_away", "'77'", "900002", "900003", "800001", "post.example", "trams and tea"]:  # fmt: skip
        assert name.lower() not in everything.lower(), name


def test_protecting_twice_changes_nothing(release):
    once = protect_release(release, key=KEY)
    twice = protect_release(once, key=KEY)

    for table in ("accounts", "posts", "decisions", "quarantine"):
        assert getattr(twice, table).equals(getattr(once, table)), table


def test_the_key_decides_the_pseudonyms(release):
    same, other = protect_release(release, key=KEY), protect_release(release, key=b"another key, sixteen")

    assert same.accounts.equals(protect_release(release, key=KEY).accounts)
    assert not set(same.accounts["account_id"][1:]) & set(other.accounts["account_id"][1:])


def test_decisions_say_how_many_stay_clear(release):
    decisions = protect_release(release, key=KEY).decisions

    assert decisions.select("stage", "n_before", "n_after").rows() == [
        ("protect", 5, 1),
        ("protect", 2, 0),
        ("protect", 5, 1),
    ]


def test_biographies_can_be_compared_but_not_read(release):
    bios = protect_release(release, key=KEY).accounts["description"]

    assert bios[1] == bios[2]
    assert len(bios[1].split()) == 5
    assert bios[0].startswith("News. Tip @acct_")
    assert bios[0].endswith("[e-mail], [phone]")


def test_columns_no_contract_knows_are_dropped(release):
    extra = release.accounts.with_columns(profile_url=pl.lit("https://small.example"))
    protected = protect_release(
        Release(extra, release.posts, release.decisions, release.quarantine, release.about), key=KEY
    )

    assert "profile_url" not in protected.accounts.columns


def test_quarantine_reasons_quote_no_ids(release):
    reason = "duplicate post_id '900002'; field 'tweet_time' is no date: \"@small_fry7 12:00\"; user 1002003"
    quarantine = pl.DataFrame({"file": ["a.csv"], "line": [3], "reason": [reason]})
    protected = protect_release(
        Release(release.accounts, release.posts, release.decisions, quarantine, release.about), key=KEY
    )

    assert protected.quarantine["reason"][0] == (
        "duplicate post_id [value]; field 'tweet_time' is no date: [value]; user [value]"
    )


def test_order_of_rows_and_platforms_is_kept():
    rows = [{"account_id": str(i), "platform": ["twitter", "mastodon"][i % 2]} for i in range(6)]
    posts = [{"post_id": str(i), "account_id": str(i), "platform": ["twitter", "mastodon"][i % 2],
              "text": f"{i} @ada@tiny.example and @b.c"} for i in range(6)]  # fmt: skip
    protected = protect_release(make_release(rows, posts), key=KEY)

    assert protected.posts["platform"].to_list() == ["twitter", "mastodon"] * 3
    assert [text[0] for text in protected.posts["text"]] == list("012345")
    assert "tiny.example" not in "".join(protected.posts.filter(platform="mastodon")["text"])
    assert protected.posts["account_id"].equals(protected.accounts["account_id"])


def test_the_same_id_on_two_platforms_is_two_accounts():
    rows = [{"account_id": "5", "platform": "twitter"}, {"account_id": "5", "platform": "facebook"}]
    shown = protect_release(make_release(rows, []), key=KEY).accounts["account_id"]

    assert shown.n_unique() == 2


def test_an_empty_release_stays_empty():
    assert protect_release(make_release([], []), key=KEY).posts.is_empty()


def test_a_handle_that_two_accounts_had_is_hidden():
    rows = [{"account_id": "1", "handle": "Shared", "n_followers": 9000},
            {"account_id": "2", "handle": "shared", "n_followers": 3}]  # fmt: skip
    posts = [{"post_id": "1", "account_id": "1", "text": "hello @shared"}]

    assert "shared" not in protect_release(make_release(rows, posts), key=KEY).posts["text"][0]


@pytest.mark.parametrize(
    "link",
    [
        "https://twitter.com/somebody9",
        "http://mobile.twitter.com/somebody9/status/123456789?s=20",
        "https://x.com/somebody9/with_replies",
        "https://www.facebook.com/somebody9/posts/123456789",
        "https://www.facebook.com/profile.php?id=123456789",
        "https://www.facebook.com/pages/somebody9/123456789",
        "https://www.facebook.com/permalink.php?story_fbid=123456789&id=987654321",
        "https://t.me/s/somebody9/55",
        "https://www.youtube.com/@somebody9/videos",
        "https://www.tiktok.com/@somebody9/video/123456789",
        "https://medium.com/@somebody9/a-title-123456789",
        "https://twitter.com/intent/user?screen_name=somebody9",
        "https://twitter.com/search?q=from%3Asomebody9",
        "https://go.example/?to=https%3A%2F%2Ftwitter.com%2Fsomebody9",
        "https://facebook.com/sharer.php?u=https://twitter.com/somebody9",
        "https://twitter.com/#!/somebody9",
        "https://twitter.com/#!/somebody9/status/123456789",
        "https://go.example/?to=https%253A%252F%252Ftwitter.com%252Fsomebody9",
        "https://www.facebook.com/groups/somebody9/posts/123456789",
        "https://t.me/somebody9",
        "https://www.instagram.com/somebody9/",
        "https://mastodon.example/@somebody9/123",
        "https://www.threads.com/@somebody9",
        "hxxps://twitter[.]com/somebody9",
        "https://twitter。com/somebody9",
        "https://go.example/?to=%2540somebody9",
    ],
)
def test_links_to_profiles_name_nobody(link):
    posts = [{"post_id": "1", "account_id": "1", "text": f"see {link} now", "urls": [link]}]
    post = protect_release(make_release([], posts), key=KEY).posts.row(0, named=True)

    for shown in (post["text"], post["urls"][0]):
        assert "somebody" not in shown
        assert "123456789" not in shown
        assert "acct_" in shown
    assert post["text"].startswith("see h")
    assert post["text"].endswith(" now")


@pytest.mark.parametrize(
    "link",
    ["https://ember.example/news?id=5", "https://www.youtube.com/watch?v=abcDEF12345", "https://netflix.com/tale"],
)
def test_other_links_stay_as_they_are(link):
    posts = [{"post_id": "1", "account_id": "1", "text": link, "urls": [link]}]

    assert protect_release(make_release([], posts), key=KEY).posts["urls"][0].to_list() == [link]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=8))
def test_texts_without_signs_are_untouched(texts):
    # A handle may be written with invisible signs between its letters, so these go, too.
    signs = "@＠%./\x00\x01" + "".join(hidden_text._INVISIBLE_SIGNS)
    plain = [text.translate(str.maketrans("", "", signs)) for text in texts]
    posts = [{"post_id": str(i), "account_id": "1", "text": text} for i, text in enumerate(plain)]

    assert protect_release(make_release([], posts), key=KEY).posts["text"].to_list() == plain


def test_a_short_key_is_refused(release):
    with pytest.raises(ParameterError, match="at least 16 bytes, got 5"):
        protect_release(release, key=b"short")


def test_two_names_on_one_pseudonym_are_refused(release, monkeypatch):
    monkeypatch.setattr(pseudonyms, "_LETTERS", b"a" * 256)
    with pytest.raises(PrivacyError, match="fell on one pseudonym"):
        protect_release(release, key=KEY)


def test_the_key_is_made_once_for_its_owner_only(tmp_path, monkeypatch):
    file = tmp_path / "settings" / "key"
    monkeypatch.setenv("WORKBENCH_KEY_FILE", str(file))

    assert read_key() == read_key() == read_key(file)
    assert len(read_key()) == 32
    assert os.name == "nt" or stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.name == "nt" or stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["key"]


def test_the_key_lies_in_the_configuration_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("WORKBENCH_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    read_key()

    assert [path.name for path in tmp_path.rglob("*.key")] == ["pseudonym.key"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_key_others_can_read_is_refused(tmp_path):
    file = tmp_path / "key"
    read_key(file)
    file.chmod(0o644)

    with pytest.raises(PrivacyError, match="chmod 600"):
        read_key(file)


def test_a_damaged_key_is_refused(tmp_path):
    file = tmp_path / "key"
    file.write_text("not a key")
    file.chmod(0o600)

    with pytest.raises(PrivacyError, match="64 hexadecimal digits"):
        read_key(file)


def test_a_key_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(PrivacyError, match="cannot be used"):
        read_key(tmp_path / "file" / "key")


def test_the_key_never_lies_in_the_repository():
    with pytest.raises(PrivacyError, match="outside the workbench's own folder"):
        read_key(Path(keys.__file__).parents[1] / "datasets" / "key")


def test_outside_a_takedown_nobody_is_named():
    """A collection of one's own publishes nobody, however many follow them."""
    famous = [{"account_id": str(k), "handle": f"harbour_star{k}", "n_followers": 90_000} for k in (1, 2)]
    release = make_release(famous, [])
    assert protect_release(release, key=KEY).accounts["account_id"].to_list() == ["1", "2"]
    own = replace(release, about=replace(release.about, announced_accounts=None))
    shown = protect_release(own, key=KEY).accounts.row(0, named=True)
    assert shown["account_id"].startswith("acct_")
    assert shown["handle_shape"] == "aaaaaaa_aaaa0"


def test_the_shape_of_a_handle_survives_and_stays():
    release = make_release([{"account_id": "1", "handle": "Tram1984"}], [])
    once = protect_release(release, key=KEY)
    assert once.accounts["handle_shape"].to_list() == ["aaaa0000"]
    assert protect_release(once, key=KEY).accounts["handle_shape"].to_list() == ["aaaa0000"]


def test_names_hide_in_hashtags_clients_and_the_profiles_of_named_accounts_too():
    accounts = [
        {"account_id": "1", "handle": "johnsmith", "n_followers": 3},
        {"account_id": "2", "handle": "zhang_wei88", "n_followers": 3},
        {"account_id": "3", "handle": "lantern", "n_followers": 3},
        {
            "account_id": "9", "handle": "EmberTimes", "n_followers": 70_000,
            "display_name": "Ember Times (run by @johnsmith)", "location": "home of zhang_wei88, x@mail.example",
        },
    ]  # fmt: skip
    posts = [
        {
            "post_id": str(k),
            "account_id": "9",
            "hashtags": ["lantern", "johnsmith", "zhang_wei88"][: 3 if k == 1 else 1],
        }
        for k in range(1, 7)
    ]
    posts = [post | {"account_id": str(10 + k)} for k, post in enumerate(posts)]
    posts[0]["client"] = "@johnsmith poster"
    shown = protect_release(make_release(accounts, posts), key=KEY)
    tags = shown.posts["hashtags"].to_list()
    assert tags[1] == ["lantern"], "a plain word that many use is a word"
    assert [tag[:5] for tag in tags[0]] == ["lante", "acct_", "acct_"]
    text = str(shown.accounts.to_dicts()) + str(shown.posts.to_dicts())
    for hidden in ("johnsmith", "zhang_wei88", "mail.example"):
        assert hidden not in text


@pytest.mark.parametrize(
    "disguise",
    ["&#64;tram_fan7", "&#x40;tram_fan7", "@\u200btram_fan7", "@tram\u200b_fan7", "\\u0040tram_fan7", "%2540tram_fan7",
     "＠tram_fan7", "＠ｔｒａｍ＿ｆａｎ７", "找tram_fan7吧", "@tram_fan7你好", "@tram_fan7.Then", "see tram_fan7's",
     "id 1145212184651132928", "@a_very_long_name_of_an_account_of_tram_fan7"],
)  # fmt: skip
def test_a_disguised_name_is_still_a_name(disguise):
    accounts = [{"account_id": "1145212184651132928", "handle": "tram_fan7"}]
    release = make_release(accounts, [{"post_id": "1", "account_id": "2", "text": f"see {disguise}!"}])
    protected = protect_release(release, key=KEY)
    text = protected.posts["text"][0]
    for part in ("tram", "fan7", "1145212184651132928", "ｆａｎ"):
        assert part not in text
    assert protected.accounts["account_id"][0] in text or "very_long" in disguise


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("write to tips@ember.example!", "write to [e-mail]!"),
        ("write to tips＠ember.example!", "write to [e-mail]!"),
        ("联系tips@ember.example谢谢", "联系[e-mail]谢谢"),
        ("tips [at] ember.example or a%40b.example", "[e-mail] or [e-mail]"),
        ("call +44 20 7946 0000 now", "call [phone] now"),
        ("电话：010-6552 9988，手机13800138000", "[phone]，[phone]"),
        ("call (202) 555-0143 or 202-555-0143", "[phone] or [phone]"),
        ("加微信：lamp_1999 QQ:12345678", "加[contact] [contact]"),
        ("on 2019-06-01 12:30 there were 1,234,567 of 2019 2018 2017", None),
        ("@jane.doe and @alice@inst.example", "@NAME and @NAME"),
    ],
)
def test_mail_phones_and_foreign_handles_in_texts(said, shown):
    posts = [
        {
            "post_id": "1",
            "account_id": "1",
            "platform": "mastodon",
            "text": said,
            "urls": ["https://a.example/13800138000"],
        }
    ]
    post = protect_release(make_release([], posts), key=KEY).posts.row(0, named=True)

    assert re.sub(r"@acct_\w+", "@NAME", post["text"]) == (shown or said)
    assert post["urls"] == ["https://a.example/13800138000"], "a number in an address is no phone"


def test_a_handle_without_sign_is_hidden_unless_it_is_a_word_to_many():
    accounts = [{"account_id": "1", "handle": "johnsmith", "n_followers": 4_999},
                {"account_id": "2", "handle": "Lantern", "n_followers": 0},
                {"account_id": "3", "handle": "BigPaper", "n_followers": 90_000}]  # fmt: skip
    texts = [f"{k} lanterns: the lantern shines" for k in range(5)] + ["JohnSmith says BigPaper lies"] * 9
    posts = [{"post_id": str(k), "account_id": str(10 + k), "text": text} for k, text in enumerate(texts)]
    protected = protect_release(make_release(accounts, posts), key=KEY)

    assert protected.posts["text"][0] == "0 lanterns: the lantern shines"
    assert protected.posts["text"][5] == f"{protected.accounts['account_id'][0]} says BigPaper lies"


def test_display_names_of_hidden_accounts_are_hidden_in_texts_unless_many_say_them():
    names = ["Ada Tram", "王小明", "Port Ember", "Harbour Watch", "Big Paper", "Lamp"]
    accounts = [{"account_id": str(k), "display_name": name, "n_followers": 9_000 * (name == "Big Paper")}
                for k, name in enumerate(names)]  # fmt: skip
    accounts[0]["location"] = "Port Ember"
    texts = [f"{k} cheers for Harbour Watch" for k in range(5)] + [
        "Ada Tram met Ada Tramway in Port Ember", "听说王小明来了", "Big Paper lit a Lamp"
    ]  # fmt: skip
    posts = [{"post_id": str(k), "account_id": str(10 + k), "text": text} for k, text in enumerate(texts)]
    protected = protect_release(make_release(accounts, posts), key=KEY)
    shown = protected.accounts["account_id"]

    assert protected.posts["text"][0] == "0 cheers for Harbour Watch"
    assert protected.posts["text"].to_list()[5:] == [
        f"{shown[0]} met Ada Tramway in Port Ember", f"听说{shown[1]}来了", "Big Paper lit a Lamp"
    ]  # fmt: skip
    assert protect_release(protected, key=KEY).posts.equals(protected.posts)
