"""STIX 2.1 and MISP, out (read by the official library, or by its templates) and in (what others write)."""

import json
import time

import polars as pl
import pytest
import stix2
from small_case import SITES, clusters_a, findings_a, platform_a, platform_b, scored_a
from stix2.exceptions import InvalidValueError

from workbench.schema import SourceError
from workbench.sharing import collect_evidence, match_indicators, read_indicators, read_package, write_package
from workbench.sharing.cover import Cover
from workbench.sharing.indicators import build_indicators
from workbench.sharing.misp import write_misp
from workbench.sharing.stix import EXTENSION_ID, write_stix
from workbench.sharing.stix_bundle import Bundle
from workbench.sharing.techniques import COPYPASTA

COVER = Cover("c", "Case", "trusted", "2031-03-01", "2032-03-01", "desk", "Desk", "1", "Said.", confidence="low")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    found = collect_evidence(platform_a(), clusters=clusters_a(), scored=scored_a(), time_window_s=60)
    return write_package(findings_a(), tmp_path_factory.mktemp("p") / "p", level="trusted", evidence=found)


def keys_of(indicators):
    return sorted(indicators.filter(pl.col("match_key").is_not_null())["match_key"])


def test_bundle_is_valid_for_the_official_library(package):
    bundle = stix2.parse((package.folder / "exports" / "stix21.json").read_text(), allow_custom=False)
    kinds = {item["type"] for item in bundle.objects}
    assert kinds == {
        "identity", "marking-definition", "extension-definition", "report", "user-account", "url", "domain-name",
        "file", "indicator", "relationship", "attack-pattern", "note",
    }  # fmt: skip
    known = {item["id"] for item in bundle.objects}
    report = next(item for item in bundle.objects if item["type"] == "report")
    assert set(report.object_refs) <= known
    assert {str(ref) for item in bundle.objects for ref in item.get("object_marking_refs", [])} <= known


def test_whatever_is_taken_out_of_the_bundle_still_says_who_may_see_it(package):
    objects = json.loads((package.folder / "exports" / "stix21.json").read_text())["objects"]
    unmarked = {item["type"] for item in objects if not item.get("object_marking_refs")}
    assert unmarked == {"identity", "marking-definition"}


@pytest.mark.parametrize(
    "later", [{"a": "3", "b": {"c": "4"}}, {"a": {"b": {"c": "4"}}}, {"a": "3", "b": "4", "c": "5"}]
)
def test_objects_with_the_same_keys_in_other_dictionaries_are_not_cast_alike(tmp_path, later):
    bundle = Bundle()
    written = {}
    for number, more in enumerate(({"a": {"b": "1", "c": "2"}}, later)):
        added = {EXTENSION_ID: {"extension_type": "property-extension", **more}}
        own = bundle.add(stix2.UserAccount, {"user_id": f"linden{number}", "extensions": added})
        written[own] = added
    day = "2031-03-01T00:00:00Z"
    bundle.write(
        tmp_path / "b.json",
        bundle_id="bundle--00000000-0000-4000-8000-000000000001",
        first=[],
        report=lambda ids: stix2.Report(name="r", published=day, object_refs=ids),
    )
    objects = json.loads((tmp_path / "b.json").read_text())["objects"]

    assert {one["id"]: one["extensions"] for one in objects if one["type"] == "user-account"} == written


def test_every_pattern_leads_to_what_was_seen(package):
    objects = json.loads((package.folder / "exports" / "stix21.json").read_text())["objects"]
    known = {item["id"]: item["type"] for item in objects}
    links = [item for item in objects if item["type"] == "relationship"]
    assert {item["source_ref"] for item in links} == {key for key, kind in known.items() if kind == "indicator"}
    assert {known[item["target_ref"]] for item in links} == {"user-account", "url", "domain-name", "file"}
    assert len({item["id"] for item in links}) == len(links)


def test_everything_beyond_the_standard_is_a_declared_extension(package):
    bundle = json.loads((package.folder / "exports" / "stix21.json").read_text())
    used = {key for item in bundle["objects"] for key in item.get("extensions", {})}
    assert used == {EXTENSION_ID}
    assert not any(key.startswith("x_") for item in bundle["objects"] for key in item)


@pytest.mark.parametrize("name", ["stix21.json", "misp_event.json", "meta_indicators.csv", "meta_indicators.tsv"])
def test_every_export_says_the_same(package, name):
    own = read_package(package.folder).indicators
    assert keys_of(read_indicators(package.folder / "exports" / name)) == keys_of(own)


def test_hashed_accounts_stay_hashes(tmp_path):
    found = collect_evidence(platform_a(), clusters=clusters_a(), scored=scored_a(), time_window_s=60)
    package = write_package(findings_a(), tmp_path / "p", level="hashed", evidence=found, salt="a long agreed salt")
    own = read_package(package.folder).indicators
    for name in ("stix21.json", "misp_event.json", "meta_indicators.csv"):
        again = read_indicators(package.folder / "exports" / name)
        assert keys_of(again) == keys_of(own)
        assert set(again["indicator_type"]) == {"keyed_hash", "minhash"}


def test_real_disarm_bundle_is_read(shared_data):
    assert read_indicators(shared_data / "indicators" / "disarm_stix21_bundle.json").is_empty()


def foreign(tmp_path, *objects, **more):
    path = tmp_path / "bundle.json"
    bundle = {"type": "bundle", "id": "bundle--0b6b6b1e-7a4b-4b8a-9a55-0d5b5a5c6f01", "objects": list(objects)}
    path.write_text(json.dumps(bundle | more))
    return path


def pattern(text, **more):
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--0b6b6b1e-7a4b-4b8a-9a55-0d5b5a5c6f02",
        "created": "2031-03-01T00:00:00Z",
        "modified": "2031-03-01T00:00:00Z",
        "pattern": text,
        "pattern_type": "stix",
        "valid_from": "2031-03-01T00:00:00Z",
        **more,
    }


def test_patterns_of_others_are_read(tmp_path):
    text = (
        "[user-account:account_type = 'facebook' AND user-account:account_login = 'Linden\\'s'] OR "
        "[domain-name:value = 'linden.example'] OR [url:value = 'https://linden.example/a']"
    )
    found = read_indicators(foreign(tmp_path, pattern(text)))
    assert found.select("indicator_type", "platform", "match_key").rows() == [
        ("account", "facebook", "linden's"),
        ("domain", None, "linden.example"),
        ("url", None, "https://linden.example/a"),
    ]


def told(path):
    return read_indicators(path).select("indicator_type", "platform", "match_key", "role", "problem").rows()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[url:value LIKE '%linden%']", "compares url:value by LIKE"),
        ("[url:value NOT = 'https://linden.example']", "by NOT ="),
        ("[url:value != 'a' /* not this */]", "by !="),
        ("[url:value NOT IN ('a', 'b')]", "by NOT IN"),
        ("[EXISTS user-account:user_id]", "by EXISTS"),
        ("[ipv4-addr:value ISSUBSET '10.0.0.0/8']", "by ISSUBSET"),
        ("[network-traffic:dst_ref.value = '10.0.0.1']", "asks for network-traffic:dst_ref.value"),
        ("[email-message:subject = 'Linden']", "asks for email-message:subject"),
        ("[file:name = 'linden.exe']", "asks for file:name"),
        ("[file:size = 12]", "compares file:size by ="),
        ("[x-linden:'a key'.list[*].at[0] = 'b']", "asks for x-linden:'a key'.list[*].at[0]"),
        ("[user-account:display_name = 'Linden']", "names no account by id or handle"),
        ("[user-account:account_type = 'twitter']", "names no account by id or handle"),
    ],
)
def test_what_a_pattern_compares_otherwise_is_counted_and_says_why(tmp_path, text, said):
    other = "[domain-name:value = 'linden.example']"
    for whole in (text, f"{text} OR {other}", f"{other} FOLLOWEDBY {text} WITHIN 5 SECONDS"):
        rows = told(foreign(tmp_path, pattern(whole)))
        odd = [row for row in rows if row[0] == "free_text"]
        assert len(odd) == 1
        assert odd[0][1:4] == (None, None, "operation")
        assert said in odd[0][4]
        assert len(rows) == (1 if whole == text else 2)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("[url:value IN ('https://a.example/1','https://a.example/2')]",
         [(None, "https://a.example/1"), (None, "https://a.example/2")]),
        ("[url:value = 'https://a.example/x]-y[(1' OR url:value == 'https://a.example/z']", None),
        ("[(user-account:account_type = 'twitter' AND user-account:user_id = 'a') OR user-account:user_id = 'b']",
         [("twitter", "a"), (None, "b")]),
        ("[user-account:account_type = 'twitter' AND (user-account:user_id = 'a' OR user-account:user_id = 'b')]",
         [("twitter", "a"), ("twitter", "b")]),
        ("[user-account:user_id IN ('a', 'b') AND user-account:account_type = 'twitter']",
         [("twitter", "a"), ("twitter", "b")]),
        ("[(user-account:user_id = 'a' OR user-account:user_id = 'b') AND user-account:account_type = 'twitter']",
         [("twitter", "a"), ("twitter", "b")]),
        ("[ipv6-addr:value = '2001:db8::1'] REPEATS 2 TIMES", [(None, "2001:db8::1")]),
    ],
)  # fmt: skip
def test_every_equality_of_a_pattern_is_an_indicator(tmp_path, text, keys):
    found = read_indicators(foreign(tmp_path, pattern(text)))
    assert found["problem"].is_null().all()
    assert found["match_key"].is_not_null().all()
    assert found.height == 2 or keys == [(None, "2001:db8::1")]
    if keys:
        assert found.select("platform", "match_key").rows() == keys


def test_patterns_in_other_languages_are_counted(tmp_path):
    (row,) = told(foreign(tmp_path, pattern("rule a {condition: true}", pattern_type="yara")))
    assert row[:4] == ("free_text", None, None, "operation")
    assert "in the language yara" in row[4]


OWN_ID = "0b6b6b1e-7a4b-4b8a-9a55-0d5b5a5c6f02"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"type": "email-message", "is_multipart": False, "subject": "Linden"}, "type email-message"),
        ({"type": "x509-certificate", "serial_number": "36:f7"}, "type x509-certificate"),
        ({"type": "mac-addr", "value": "d2:fb:49:24:37:18"}, "type mac-addr"),
        ({"type": "x-linden-site", "value": "linden"}, "type x-linden-site"),
        ({"type": "file", "name": "linden.exe"}, "no hash"),
        ({"type": "user-account", "account_type": "twitter"}, "neither id nor name"),
    ],
)
def test_observables_that_cannot_be_compared_are_counted_and_say_why(tmp_path, item, said):
    whole = {"id": f"{item['type']}--{OWN_ID}", "spec_version": "2.1", **item}
    (row,) = told(foreign(tmp_path, whole))
    assert row[:4] == ("free_text", None, None, "operation")
    assert said in row[4]


def test_observables_within_observed_data_are_read(tmp_path):
    dates = dict.fromkeys(("created", "modified", "first_observed", "last_observed"), "2031-03-01T00:00:00Z")
    inner = {"0": {"type": "url", "value": "https://linden.example/a"}, "1": {"type": "mutex", "name": "linden"}}
    item = {"type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{OWN_ID}", "number_observed": 1}
    rows = told(foreign(tmp_path, item | dates | {"objects": inner}))
    assert [row[0] for row in rows] == ["url", "free_text"]


def test_whoever_matches_sees_what_a_pattern_says_one_by_one(tmp_path):
    """One object, three comparisons: a hit of one is no hit of the others."""
    text = f"[url:value = '{SITES[0]}' OR url:value = 'https://nowhere.example/x' OR url:value LIKE '%a%']"
    report = match_indicators(read_indicators(foreign(tmp_path, pattern(text))), platform_b())
    assert report.indicators["status"].to_list() == ["hit", "miss", "not checkable"]
    assert "by LIKE" in report.disputes.filter(status="not checkable")["dispute"].item()


def test_what_tells_of_the_case_is_no_indicator(tmp_path):
    tactic = {"type": "x-mitre-tactic", "id": f"x-mitre-tactic--{OWN_ID}", "name": "Plan", "spec_version": "2.1"}
    assert read_indicators(foreign(tmp_path, tactic, {"type": "report"}, {"type": "malware"})).is_empty()


def test_an_object_without_a_kind_is_refused(tmp_path):
    with pytest.raises(SourceError, match="object 1"):
        read_indicators(foreign(tmp_path, {"id": f"url--{OWN_ID}", "value": "https://linden.example"}))


@pytest.mark.parametrize(
    "item",
    [
        {"type": "url", "id": "url--1", "value": "https://linden.example"},
        {"type": "url", "id": "url--0b6b6b1e-7a4b-4b8a-9a55-0d5b5a5c6f02"},
        {"type": "user-account", "id": "user-account--0b6b6b1e-7a4b-4b8a-9a55-0d5b5a5c6f02", "user_id": {"a": 1}},
        pattern("[url:value ="),
        {"type": "note", "content": 3},
    ],
)
def test_malformed_objects_are_refused_by_number(tmp_path, item):
    with pytest.raises(SourceError, match="object 1"):
        read_indicators(foreign(tmp_path, item))


def test_malformed_bundles_are_refused(tmp_path):
    with pytest.raises(SourceError, match="list of objects"):
        read_indicators(foreign(tmp_path, objects={"a": 1}))
    with pytest.raises(SourceError, match=r"found a bundle of 2\.0"):
        read_indicators(foreign(tmp_path, spec_version="2.0"))


def test_misp_event_follows_the_templates(package):
    event = json.loads((package.folder / "exports" / "misp_event.json").read_text())["Event"]
    assert [tag["name"] for tag in event["Tag"]][:2] == [
        "tlp:amber",
        'estimative-language:confidence-in-analytic-judgment="moderate"',
    ]
    names = [item["name"] for item in event["Object"]]
    assert names == ["twitter-account"] * 4 + ["narrative"]
    relations = {attribute["object_relation"] for attribute in event["Object"][0]["Attribute"]}
    assert relations == {"name", "id", "displayed-name"}
    ids = [event["uuid"], *[a["uuid"] for a in event["Attribute"]]]
    ids += [a["uuid"] for item in event["Object"] for a in [item, *item["Attribute"]]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("platform", "kind", "name"),
    [
        ("facebook", "page", "facebook-page"),
        ("facebook", "group", "facebook-group"),
        ("facebook", "account", "facebook-account"),
        ("telegram", "channel", "telegram-account"),
        ("mastodon", "account", "user-account"),
        ("youtube", "channel", "user-account"),
    ],
)
def test_misp_keeps_platform_and_kind(tmp_path, platform, kind, name):
    row = {"declared": kind, "indicator_value": "900", "platform": platform, "account_id": "900", "display_name": "LV"}
    path = write_misp(build_indicators([row]), tmp_path / "e.json", cover=COVER, techniques=(COPYPASTA,))
    event = json.loads(path.read_text())["Event"]
    assert event["Object"][0]["name"] == name
    assert {"name": 'misp-galaxy:disarm-techniques="Use Copypasta"'} in event["Tag"]
    back = read_indicators(path)
    assert back.select("indicator_type", "platform", "match_key").row(0) == (kind, platform, "900")


def test_misp_of_others_is_read(tmp_path):
    account = {"object_relation": "name", "type": "text", "value": "LindenVoice"}
    group = [
        {"object_relation": "group-name", "type": "text", "value": "East Quay"},
        {"object_relation": "platform", "type": "text", "value": "Facebook"},
    ]
    shop = [{"object_relation": "domain", "type": "domain", "value": "shop.example"}]
    event = {
        "Attribute": [
            {"type": "domain", "value": "linden[.]example", "comment": "seen"},
            {"type": "twitter-id", "value": "LindenVoice2"},
            {"type": "md5", "value": "d" * 32},
        ],
        "Object": [
            {"name": "twitter-account", "Attribute": [account]},
            {"name": "social-media-group", "Attribute": group},
            {"name": "domain-ip", "Attribute": shop},
        ],
    }
    path = tmp_path / "search.json"
    path.write_text(json.dumps({"response": [{"Event": event}]}))
    found = read_indicators(path)
    assert found.select("indicator_type", "platform", "match_key").rows() == [
        ("domain", None, "linden.example"),
        ("account", "twitter", "lindenvoice2"),
        ("media_hash", None, "md5:" + "d" * 32),
        ("account", "twitter", "lindenvoice"),
        ("group", "facebook", "east quay"),
        ("domain", None, "shop.example"),
    ]


def test_half_of_a_surrogate_pair_in_a_tip_becomes_a_question_mark(tmp_path):
    path = tmp_path / "event.json"
    path.write_text('{"Event": {"Attribute": [{"type": "text", "value": "a\\ud800b", "comment": "\\ud83d\\ude00"}]}}')
    assert read_indicators(path)["indicator_value"].to_list() == ["a?b"]
    path.write_bytes(b'{"Event": {"Attribute": [{"type": "text", "value": "a\xed\xa0\x80b"}]}}')
    assert read_indicators(path)["indicator_value"].to_list() == ["a?b"]


def test_misp_objects_that_are_no_accounts_lose_nothing(tmp_path):
    file = [{"object_relation": "sha256", "type": "sha256", "value": "a" * 64}]
    mail = [{"object_relation": "from", "type": "email-src", "value": "a@b.example"}]
    event = {"Object": [{"name": "file", "Attribute": file}, {"name": "email", "Attribute": mail}]}
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"Event": event}))
    found = read_indicators(path)
    assert found["indicator_value"].to_list() == ["sha256:" + "a" * 64, "a@b.example"]
    assert found["match_key"][0] == "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"Event": None}, "expected a MISP event"),
        ({"response": ["a"]}, "expected a MISP event"),
        ({"Event": {"Attribute": [{"type": "url"}]}}, "attribute 1"),
        ({"Event": {"Attribute": [{"type": "url", "value": ["a"]}]}}, "attribute 1: expected 'value' as text"),
        ({"Event": {"Attribute": 3.5}}, "expected 'Attribute' as a list; found 3.5"),
        ({"Event": {"Object": {"name": "x"}}}, "expected 'Object' as a list"),
        ({"Event": {"Object": [{"name": ["x"], "Attribute": []}]}}, "object 1: expected 'name' as text"),
        ({"Event": {"Object": [{"name": "x"}]}}, "object 1"),
        ({"Event": {"Object": [{"name": "x", "Attribute": "a"}]}}, "object 1: expected 'Attribute' as a list"),
        ({"Event": {"Object": [{"name": "twitter-account", "Attribute": [{"value": "a"}]}]}}, "object_relation"),
    ],
)
def test_malformed_events_are_refused(tmp_path, content, said):
    path = tmp_path / "event.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SourceError, match=said):
        read_indicators(path)


def test_words_and_totals_travel_as_notes(tmp_path):
    rows = [{"indicator_value": "7,704 Facebook accounts", "procedure": "0.9.1 x"}, {"indicator_value": "x.example"}]
    path = write_stix(build_indicators(rows), tmp_path / "s.json", cover=COVER)
    back = read_indicators(path)
    assert back.filter(indicator_type="asset_count")["n_stated"].to_list() == [7704]


ODD = 'a "quoted" \\ back/slash\u2028 港湾\ud83d\ude00'.encode("utf-16", "surrogatepass").decode("utf-16") + "\x7f\t'"


def odd_indicators():
    """Every kind of indicator, with signs that JSON, patterns and spreadsheets write in a special way."""
    accounts = [
        {"declared": kind, "indicator_value": f"{ODD}{n}", "platform": platform, "account_id": f"{n}", **more}
        for n, (kind, platform, more) in enumerate(
            [
                ("account", "twitter", {"handle": ODD, "display_name": ODD, "cluster_id": 3}),
                ("account", "twitter", {"handle": "b"}),
                ("page", "facebook", {"evidence_level": "coordination"}),
                ("group", None, {}),
            ]
        )
    ]
    values = [
        *(f"text-sha256:{n:064x}" for n in range(5)),
        *(f"text-minhash:{n:0512x}" for n in range(5)),
        *(f"https://harbour.example/{n}/港湾'\\?a=ü&b=%20" for n in range(5)),
        "pdq:" + "0f" * 32, "md5:" + "0f" * 16, "hmac:" + "ab" * 32, "harbour.example", "desk@harbour.example",
        "#" + "港湾", "7,704 Facebook accounts", "7,704 Facebook accounts", "+44 20 7946 0000",
    ]  # fmt: skip
    things = [{"indicator_value": value, "n_sharers": n, "note": ODD} for n, value in enumerate(values)]
    return build_indicators([*accounts, *things, {"indicator_value": ODD, "declared": "text"}, *things[:3]])


def test_the_bundle_is_written_as_the_official_library_would_write_it(tmp_path):
    path = write_stix(odd_indicators(), tmp_path / "s.json", cover=COVER, techniques=(COPYPASTA,))
    text = path.read_text(encoding="utf-8")
    bundle = stix2.parse(text, allow_custom=False)
    assert bundle.serialize(indent=1) + "\n" == text

    observed = [item for item in bundle.objects if item["type"] in ("url", "file", "user-account", "domain-name")]
    assert len(observed) >= 20
    for item in observed:
        content = {name: item[name] for name in item if name != "id"}
        assert stix2.parse(content, allow_custom=False)["id"] == item["id"]


def test_a_hash_of_the_wrong_length_is_refused_though_the_first_was_right(tmp_path):
    rows = [{"indicator_value": f"sha256:{digits}"} for digits in ("0f" * 32, "0f" * 16)]
    with pytest.raises(InvalidValueError, match="SHA256"):
        write_stix(build_indicators(rows), tmp_path / "s.json", cover=COVER)


def test_the_event_is_written_as_one_piece_would_be(tmp_path):
    for name, indicators in (("a", odd_indicators()), ("b", build_indicators([{"indicator_value": ""}]))):
        path = write_misp(indicators, tmp_path / f"{name}.json", cover=COVER, techniques=(COPYPASTA,))
        text = path.read_text(encoding="utf-8")
        assert json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n" == text
        assert json.loads(text)["Event"]["Object"][-1]["name"] == "narrative"


def test_fifty_thousand_hashes_are_written_in_seconds(tmp_path):
    rows = [{"indicator_value": f"text-sha256:{n:064x}", "n_sharers": n % 9} for n in range(50_000)]
    indicators = build_indicators(rows)
    began = time.process_time()
    write_stix(indicators, tmp_path / "s.json", cover=COVER)
    write_misp(indicators, tmp_path / "m.json", cover=COVER)
    assert time.process_time() - began < 25
