"""What one cell is: hand-written, one line per messy detail seen in published sheets (values invented)."""

import polars as pl
import pytest

from workbench.sharing.addresses import find_profile, is_shared_host, profile_address, registered_domain
from workbench.sharing.classify import classify_indicator, host_key
from workbench.sharing.indicators import build_indicators

CELLS = [
    # cell, tactic, procedure, declared -> type, platform, key, number, unit
    ("18 accounts ", "0. Acquiring", "0.9.1 Facebook assets", "", "asset_count", "facebook", None, 18, "account"),
    ("7,704 Facebook accounts", "0", "0.9.1 x", "", "asset_count", "facebook", None, 7704, "account"),
    ("1 Group", "0", "0.9.1 x", "", "asset_count", "facebook", None, 1, "group"),
    ("15 acounts", "0", "0.9.2 x", "", "asset_count", "instagram", None, 15, "account"),
    ("About 2,400 accounts followed them", "7", "7.2.2", "", "audience_count", "facebook", None, 2400, "follower"),
    ("About 120 accounts joined these Groups", "7", "7.2.3", "", "audience_count", "facebook", None, 120, "member"),
    ("No accounts followed these.", "7", "7.2.4", "", "audience_count", "instagram", None, 0, "follower"),
    ("Around $1.2 million in spending for ads", "7", "7.1.1", "", "advert_spend", "facebook", None, 1_200_000, "USD"),
    ("About $73,600 in spending for ads", "7", "7.1.1", "", "advert_spend", "facebook", None, 73_600, "USD"),
    ("twitter[.]com/Linden_42", "0", "0.9.4 X", "", "account", "twitter", "linden_42", None, None),
    ("https://twitter[.]com/Linden42/", "0", "0.9.4 X", "", "account", "twitter", "linden42", None, None),
    ("hxxps://x(.)com/Linden42", "0", "0.9.4 X", "", "account", "twitter", "linden42", None, None),
    ("@Linden42", "0", "0.9.4 X", "", "account", "twitter", "linden42", None, None),
    ("https://www[.]youtube.com/@LindenTalk", "0", "0.9.5", "", "channel", "youtube", "lindentalk", None, None),
    ("www.youtube[.]com/@M%C4%83rul-r4y", "0", "0.9.5", "", "channel", "youtube", "mărul-r4y", None, None),
    ("http://t.me/lindentalk", "0", "0.9.7", "", "channel", "telegram", "lindentalk", None, None),
    ("https://t.me/lindentalk/42", "", "", "telegram_url", "url", None, "https://t.me/lindentalk/42", None, None),
    ("linden42[.]medium[.]com", "0", "0.9.8", "", "account", "medium", "linden42", None, None),
    ("https://forum[.]linden[.]example/u/wacr1", "0", "0.9.8", "", "account", "linden.example", "wacr1", None, None),
    ("www[.]linden[.]example/member[.]php?u=582", "0", "0.9.8", "", "account", "linden.example", "582", None, None),
    ("lindenwater[.]com", "0", "0.6.2", "", "domain", None, "lindenwater.com", None, None),
    ("https://lindenwater.com/", "0", "0.6.2", "", "domain", None, "lindenwater.com", None, None),
    ("linden-water.top", "", "", "domain_name", "domain", None, "linden-water.top", None, None),
    ("change[.]org/p/save-linden", "0", "0.9.11", "", "url", None, "change.org/p/save-linden", None, None),
    ("info[at]linden[.]example, hosted there", "0", "0.2.1", "", "email", None, "info@linden.example", None, None),
    ("+44 20 7946 0958", "0", "0.3.1", "", "phone", None, "+442079460958", None, None),
    ("203.0.113.9", "0", "0.1.1", "", "ip", None, "203.0.113.9", None, None),
    ("#LindenAwake", "6", "6.1.3", "", "hashtag", None, "lindenawake", None, None),
    ("The bridge is broken", "6", "6.1.3", "", "text", None, "The bridge is broken", None, None),
    ("Holy Lindens", "1", "1.2.4 Posing", "", "persona", None, "holy lindens", None, None),
    ("Posing as harbour workers ", "1", "1.2.8", "", "free_text", None, None, None, None),
    ("Registering with a firm, hidden[.]example", "5", "5.1.1", "", "free_text", None, None, None, None),
    ("", "5", "5.4.1", "", "technique", None, None, None, None),
    ("pdq:" + "0f" * 32, "", "", "", "media_hash", None, "pdq:" + "0f" * 32, None, None),
]  # fmt: skip


@pytest.mark.parametrize("row", CELLS, ids=[cell[0][:40] or "blank" for cell in CELLS])
def test_cell_is_classified(row):
    value, tactic, procedure, declared, *expected = row
    kind = classify_indicator(value, tactic=tactic, procedure=procedure, declared=declared)
    assert [kind.indicator_type, kind.platform, kind.match_key, kind.n_stated, kind.unit] == expected


def test_what_was_attacked_is_no_indicator_of_the_operation():
    assert classify_indicator("clinic[.]example", tactic="8. Compromising assets", procedure="8.2.1").role == "target"


def test_a_placeholder_is_a_problem_not_a_number():
    kind = classify_indicator("Around $xx in spending for ads, paid for mostly in xx", procedure="7.1.1")
    assert kind.n_stated is None
    assert "placeholder" in (kind.problem or "")


def test_facebook_profile_number():
    assert find_profile("https://m.facebook.com/profile.php?id=1000123").handle == "1000123"  # ty: ignore
    assert find_profile("facebook.com/profile.php") is None


def test_addresses_that_are_no_accounts():
    for address in ("https://twitter.com/i/web/status/1", "https://x.com/search?q=a", "nonsense", "https://[broken/a"):
        assert find_profile(address) is None


@pytest.mark.parametrize(
    ("platform", "kind"),
    [
        ("facebook", "group"),
        ("facebook", "account"),
        ("twitter", "account"),
        ("youtube", "channel"),
        ("reddit", "group"),
    ],
)
def test_profile_address_leads_back(platform, kind):
    profile = find_profile(profile_address(platform, kind, "@LindenVoice"))
    assert (profile.platform, profile.kind, profile.handle) == (platform, kind, "lindenvoice")  # ty: ignore


def test_hosts():
    assert registered_domain("news.linden.co.uk") == "linden.co.uk"
    assert registered_domain("lindenblog.blogspot.com") == "lindenblog.blogspot.com"
    assert is_shared_host("www.youtube.com")
    assert not is_shared_host("linden.example")
    assert host_key("WWW.Bücher.example.") == "xn--bcher-kva.example"
    assert host_key("a" * 70 + ".example") == "a" * 70 + ".example"


def test_hashes_are_told_at_once_as_one_by_one():
    digest, signature = "0123456789abcdef" * 4, "0123456789abcdef" * 32
    values = [f"text-sha256:{digest}", f"text-sha256:{digest.upper()}", f"pdq:{digest}", f"sha256:{digest[:-1]}",
              f"hmac:{digest}", f"text-minhash:{signature}", f"text-minhash:{digest}", f" md5:{digest[:32]}",
              ""]  # fmt: skip
    for declared in ("text_hash", "media_hash", "keyed_hash", "minhash", "", "url"):
        for tactic in ("", "2. Acquiring", "8. Targets"):
            rows = [{"indicator_value": value, "declared": declared, "tactic": tactic} for value in values]
            found = build_indicators(rows)
            alone = [classify_indicator(value, tactic=tactic, declared=declared) for value in values]
            for name in ("indicator_type", "platform", "n_stated", "unit", "role", "problem"):
                assert found[name].to_list() == [getattr(kind, name) for kind in alone]
            hashes = found.with_row_index("n").filter(~pl.col("indicator_type").is_in(["url", "text"]))
            assert hashes["match_key"].to_list() == [alone[n].match_key for n in hashes["n"]]


def test_a_table_is_read_like_its_rows_whatever_its_columns_are_called():
    rows = [
        {"indicator_value": "linden.example", "n": "x", "made_role": "y", "note": "", "line": 7},
        {"indicator_value": "#pier", "n": "", "made_role": None, "note": "z", "line": 0, "role": "context"},
    ]
    by_rows, by_table = build_indicators(rows), build_indicators(pl.DataFrame(rows))
    assert by_rows.select(by_table.columns).equals(by_table)
    assert by_table["line"].to_list() == [7, 2]
    assert by_table["role"].to_list() == ["operation", "context"]
    assert by_table["n"].to_list() == ["x", None]
