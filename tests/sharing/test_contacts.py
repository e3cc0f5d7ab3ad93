"""E-mails, telephone numbers and IP addresses of a tip are found in posts and profiles, however they are written."""

import pytest
from releases import make_release

from workbench.sharing import match_indicators
from workbench.sharing.indicators import build_indicators

ACCOUNTS = [
    {"account_id": "1", "description": "Write to Tips@Ember.example or 020 7946 0000"},
    {"account_id": "2", "description": "tips@ember.example.net and 44 20 7946 00001"},
]
POSTS = [
    {"post_id": "11", "account_id": "1", "text": "call +44 (20) 7946-0000"},
    {"post_id": "31", "account_id": "3", "text": "问tips＠ember.example吧"},
    {"post_id": "32", "account_id": "3", "text": "see", "urls": ["http://192.0.2.7/x"]},
    {"post_id": "41", "account_id": "4", "text": "version 192.0.2.70 of 1192.0.2.7"},
]


@pytest.mark.parametrize(
    ("declared", "value", "hits"),
    [
        ("email", "tips[@]ember[.]example", {("1", 0), ("3", 1)}),
        ("phone", "+44 20 7946 0000", {("1", 1)}),
        ("ip", "192[.]0[.]2[.]7", {("3", 1)}),
    ],
)
def test_contacts_are_found(declared, value, hits):
    tip = build_indicators([{"declared": declared, "indicator_value": value}])
    report = match_indicators(tip, make_release(ACCOUNTS, POSTS))

    assert set(report.hits.select("account_id", "n_posts").rows()) == hits
    assert report.indicators["status"].to_list() == ["hit"]
    assert report.accounts["verdict"].unique().to_list() == ["single"]


def test_a_contact_nobody_wrote_is_a_miss_and_without_texts_cannot_be_checked():
    tip = build_indicators([{"declared": "email", "indicator_value": "a@b.example"}])

    assert match_indicators(tip, make_release(ACCOUNTS, POSTS)).indicators["status"].to_list() == ["miss"]
    bare = make_release([{"account_id": "1"}], [{"post_id": "1", "account_id": "1"}])
    assert match_indicators(tip, bare).indicators["status"].to_list() == ["not checkable"]
