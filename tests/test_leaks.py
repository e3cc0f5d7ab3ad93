"""A name that may not leave is found in whatever file it hides in, and a word that is only a word is not."""

import base64
import dataclasses
import io
import json
import time
import zipfile

import polars as pl
import pytest
from releases import KEY, make_release

from workbench.leaks import find_leaks
from workbench.privacy import protect_release
from workbench.schema import SourceError

HASHED = "kX3+pq/Ab9ZrTuVwYz01234567890abcdefghijklmno="
SNOWFLAKE = "1145212184651132928"
IDS_CSV = f"account_id,n\n{SNOWFLAKE},3"


@pytest.fixture
def release():
    return make_release(
        [
            {"account_id": "5001", "handle": "EmberTimes", "display_name": "Ember Times", "n_followers": 70_000},
            {"account_id": SNOWFLAKE, "handle": "tram_fan99", "display_name": "Tram Fan Nº 9", "n_followers": 12},
            {"account_id": HASHED, "handle": HASHED, "is_pseudonymous": True, "n_followers": 900},
            {"account_id": "42", "handle": "network", "display_name": "Port Ember", "n_followers": 0},
            {"account_id": "7654321", "handle": None, "n_followers": 4_999},
        ],
        [
            {"post_id": "1", "account_id": "42", "text": "good morning, says @by_stander", "mentions": ["88"]},
            {"post_id": "2", "account_id": "42", "text": "call +44 20 7946 0000 or write to tips@ember.example"},
            *({"post_id": f"3{k}", "account_id": f"9{k}", "text": f"{k} bells in Port Ember"} for k in range(5)),
        ],
    )


def put(folder, name, content):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def packed(text: str) -> str:
    return "data:text/csv;base64," + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "content", "value"),
    [
        ("report.html", "<p>the account tram_fan99 posted</p>", "tram_fan99"),
        ("report.html", "<p>the account TRAM_Fan99 posted</p>", "TRAM_Fan99"),
        ("report.html", f'<a href="{packed(IDS_CSV)}">CSV</a>', SNOWFLAKE),
        ("report.html", "<a href='data:text/csv,account_id%2Cn%0A42%2C3'>CSV</a>", "42"),
        ("report.html", "<td>Tram Fan Nº&nbsp;9</td>".replace("&nbsp;", " "), "Tram Fan Nº 9"),
        ("report.html", "<td>tram&#95;fan99</td>", "tram_fan99"),
        ("report.html", "see @network", "network"),
        ("report.html", "看@network你好", "network"),
        ("report.html", "找tram_fan99吧", "tram_fan99"),
        ("report.html", "hxxps://twitter[.]com/network", "network"),
        ("report.html", "https://twitter.com/#!/network", "network"),
        ("tables/posts.csv", "text\nwrite to tips[@]ember[.]example", "tips@ember.example"),
        ("tables/posts.csv", "text\ncall +44 20 7946 0000", "+44 20 7946 0000"),
        ("report.html", "see https://twitter.com/network", "network"),
        ("report.html", "see https%3A%2F%2Ftwitter.com%2Ftram_fan99", "tram_fan99"),
        ("report.html", "hello @by_stander", "by_stander"),
        ("tables/edges.csv", "trace,account_a,account_b\nurl,42,acct_aaaaaaaaaaaa\n", "42"),
        ("tables/posts.csv", "mentions,n\n'88,1\n", "88"),
        ("findings.json", json.dumps({"account_id": "42"}), "42"),
        ("findings.json", json.dumps({"rows": [{"id": "7654321"}]}), "7654321"),
        ("findings.json", '{"post_author": [{"account_id": "42"}]}', "42"),
        ("findings.json", '{"n": 1, "own_accounts": ["a", "42"]}', "42"),
        ("report.html", "see https://fb.com/x.com/NETWORK", "NETWORK"),
        ("findings.json", json.dumps({"text": HASHED}).replace("/", "\\/"), HASHED),
        ("notebooks/01.ipynb", json.dumps({"cells": [{"outputs": [{"text": ['"tram_fan99"\n']}]}]}), "tram_fan99"),
        ("package.zip", zipped("a/accounts.csv", "account_id,n\n42,1\n"), "42"),
        ("package.zip", zipped("inner.zip", "x").replace(b"inner.zip", b"inner.txt"), None),
        ("nested.zip", zipped(f"{SNOWFLAKE}.txt", "x"), SNOWFLAKE),
    ],
)  # fmt: skip
def test_a_hidden_name_is_found(tmp_path, release, name, content, value):
    put(tmp_path, name, content)
    leaks = find_leaks(tmp_path, release)

    assert leaks["value"].unique().to_list() == ([] if value is None else [value])
    assert leaks["file"].unique().to_list() == ([] if value is None else [name])


@pytest.mark.parametrize(
    "content",
    [
        "the network has 42 accounts and 7654321 posts in Port Ember; 0.7654321 of 1,000",
        "EmberTimes (5001) has 70,000 followers: @EmberTimes, Ember Times",
        "stage,n\nnetwork,42\n",
        '{"n_posts": 7654321, "name": "network"}',
        '<svg><path d="M42,88L7654321,1"/></svg>',
        "data:,",
        "1.tram_fan99 is the digits of a number, and xtram_fan99 another word",
    ],
)
def test_a_word_or_number_that_is_only_that_is_no_leak(tmp_path, release, content):
    for name in ("report.html", "table.csv", "findings.json"):
        put(tmp_path, name, content)

    assert find_leaks(tmp_path, release).rows() == []


def test_what_protect_release_lets_through_has_no_leak(tmp_path, release):
    protected = protect_release(release, key=KEY)
    put(tmp_path, "accounts.json", json.dumps(protected.accounts.to_dicts(), default=str, ensure_ascii=False))
    put(tmp_path, "posts.json", json.dumps(protected.posts.to_dicts(), default=str, ensure_ascii=False))
    protected.accounts.select("account_id", "handle", "display_name").write_csv(tmp_path / "accounts.csv")

    assert find_leaks(tmp_path, release).rows() == []


def test_the_release_itself_leaks_everything(tmp_path, release):
    release.accounts.select("account_id", "handle", "display_name").write_csv(tmp_path / "accounts.csv")
    leaks = find_leaks(tmp_path / "accounts.csv", release)

    assert set(leaks["value"]) >= {SNOWFLAKE, "tram_fan99", "Tram Fan Nº 9", HASHED, "42", "network", "7654321"}
    assert not {"5001", "EmberTimes", "Ember Times"} & set(leaks["value"])


def test_texts_are_read_in_batches_and_the_same_text_once_and_nothing_is_lost(tmp_path, release, monkeypatch):
    for number in range(5):
        put(tmp_path, f"{number}.csv", "account_id,n\n42,1\n")
        put(tmp_path, f"{number}.txt", f"number {number}: Tram Fan Nº 9, @by_stander")
    at_once = find_leaks(tmp_path, release).rows()
    monkeypatch.setattr("workbench.leaks._BATCH_CHARACTERS", 1)

    assert find_leaks(tmp_path, release).rows() == at_once
    assert len(at_once) == 5 + 5 * 2


def test_a_bystanders_handle_that_posts_use_as_a_word_counts_only_where_it_is_a_name(tmp_path, release):
    posts = release.posts.with_columns(text=release.posts["text"] + " and by_stander news")
    for used, text, n in (
        (release.posts, "by_stander said", 1),
        (posts, "by_stander said", 0),
        (posts, "@by_stander said", 1),
    ):
        put(tmp_path, "report.html", text)
        assert find_leaks(tmp_path, dataclasses.replace(release, posts=used)).height == n


@pytest.fixture
def second():
    return make_release(
        [
            {"account_id": "100000063352", "handle": "tram.riders_77", "display_name": "Tram Riders of Ember"},
            {"account_id": "9", "handle": "ember24", "display_name": "Quay 24 Friends"},
            {"account_id": "8", "handle": "quay_news", "display_name": "Quay News", "n_followers": 70_000},
        ],
        [{"post_id": "1", "account_id": "9", "text": "write to quay@ember.example, says @harbour_lad"}],
    )


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("handle,n\ntram.riders_77,3", "tram.riders_77"),
        ("account_id,n\n9,3", "9"),
        ("<td>100000063352</td>", "100000063352"),
        ("<p>Quay 24 Friends</p>", "Quay 24 Friends"),
        ("<p>the account ember24</p>", "ember24"),
        ("<p>hello @harbour_lad</p>", "harbour_lad"),
        ("<p>quay@ember.example</p>", "quay@ember.example"),
        ("<p>tram_fan99 of the first one</p>", "tram_fan99"),
        ("<p>quay_news and Quay News</p>", None),
    ],
)  # fmt: skip
def test_a_hidden_name_of_the_second_platform_is_found_as_one_of_the_first(tmp_path, release, second, content, value):
    put(tmp_path, "page.csv", content)

    assert find_leaks(tmp_path, release, second=second)["value"].to_list() == ([] if value is None else [value])
    assert find_leaks(tmp_path, release, second=make_release([], [])).equals(find_leaks(tmp_path, release))


def test_what_one_platform_shows_in_clear_is_no_leak_of_the_other(tmp_path, release, second):
    """An operation's accounts often have one name on all platforms, and its website has it too."""
    double = [
        {"account_id": "7", "handle": "EmberTimes", "display_name": "Ember Times", "n_followers": 3},
        {"account_id": "6", "handle": "quay_news", "display_name": "Tram Fan Nº 9", "n_followers": 3},
    ]
    other = make_release(double, [])
    put(tmp_path, "report.html", "EmberTimes wrote as Ember Times")
    assert find_leaks(tmp_path, release, second=other).rows() == []
    put(tmp_path, "report.html", "the page quay_news")
    assert find_leaks(tmp_path, other, second=second).rows() == []
    assert find_leaks(tmp_path, release, second=other)["value"].to_list() == ["quay_news"]


def test_a_handle_of_one_platform_in_the_others_links_counts_only_where_it_is_an_account(tmp_path, release, second):
    links = release.posts.with_columns(urls=pl.lit(["https://ember24.example/a"], dtype=pl.List(pl.String)))
    first = dataclasses.replace(release, posts=links)
    for text, n in (
        ("ember24[.]example", 0),
        ("the page ember24 wrote", 0),
        ("see @ember24", 1),
        ("fb.com/ember24", 1),
    ):
        put(tmp_path, "report.html", text)
        assert find_leaks(tmp_path, first, second=second).height == n, text
        assert find_leaks(tmp_path, release, second=second).height == 1, text


def test_many_files_and_many_names_take_seconds(tmp_path):
    accounts = [{"account_id": f"{n}+id/{n}=", "display_name": f"Fan {n} of Trams"} for n in range(20_000)]
    release = make_release(accounts, [{"post_id": "1", "account_id": "0+id/0=", "text": "good morning"}])
    for number in range(200):
        put(tmp_path, f"{number}.csv", f"text\nFan {number + 1}7 of Trams\n")
    began = time.process_time()

    assert find_leaks(tmp_path, release).height == 200
    assert time.process_time() - began < 15


def test_a_damaged_archive_is_refused(tmp_path, release):
    put(tmp_path, "package.zip", b"PK no archive")
    with pytest.raises(SourceError, match=r"package\.zip cannot be looked into"):
        find_leaks(tmp_path, release)


def test_an_absent_folder_is_refused(tmp_path, release):
    with pytest.raises(SourceError, match="no folder"):
        find_leaks(tmp_path / "absent", release)


def test_an_enormous_member_is_refused(tmp_path, release, monkeypatch):
    monkeypatch.setattr("workbench.leaks._MAX_MEMBER_BYTES", 3)
    put(tmp_path, "package.zip", zipped("a.csv", "1234"))
    with pytest.raises(SourceError, match="more than can be checked"):
        find_leaks(tmp_path, release)
