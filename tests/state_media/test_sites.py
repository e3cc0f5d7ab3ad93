import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench.state_media as sm
from workbench.state_media.facts import Outlets
from workbench.state_media.sites import SiteIndex


def make_outlets(*rows: tuple[str, list[str], list[str]]) -> pl.DataFrame:
    made = [
        {"outlet_id": o, "name": o.title(), "names": [], "countries": [], "domains": domains, "handles": handles}
        for o, domains, handles in rows
    ]
    return pl.concat(
        [Outlets.create_empty(), pl.DataFrame(made, schema_overrides=Outlets.create_empty().schema)], how="diagonal"
    )


@pytest.mark.parametrize(
    ("url", "kind", "key"),
    [
        ("https://www.herald.example/a?b", "domain", "herald.example"),
        ("herald.example", "domain", "herald.example"),
        ("http://news.herald.co.uk:8080/x", "domain", "herald.co.uk"),
        ("HTTPS://WWW.Herald.EXAMPLE./", "domain", "herald.example"),
        # a tenant is not its host, whether the public suffix list knows the host or sites.toml does
        ("https://herald.blogspot.com/2019", "hosted", "herald.blogspot.com"),
        ("https://herald.blogspot.de/2019", "hosted", "herald.blogspot.com"),
        ("https://www.herald.blogspot.co.uk/2019", "hosted", "herald.blogspot.com"),
        ("https://herald.github.io", "hosted", "herald.github.io"),
        ("https://herald.business.site/x", "hosted", "herald.business.site"),
        ("https://herald.wix.com/x", "hosted", "herald.wix.com"),
        ("https://www.wix.com/x", "domain", "wix.com"),
        ("https://herald.medium.com/x", "hosted", "medium.com/@herald"),
        ("https://www.tumblr.com/herald/1", "hosted", "herald.tumblr.com"),
        ("https://open.substack.com/pub/herald/p/1", "hosted", "herald.substack.com"),
        # an archive, a translation or a forward carries the address it stands for
        ("https://web.archive.org/web/2020/https://herald.example/x", "domain", "herald.example"),
        ("https://web.archive.org/web/20200101000000id_/http:/herald.example/x", "domain", "herald.example"),
        ("https://archive.ph/2020.01.02-030405/https://herald.example/x", "domain", "herald.example"),
        ("https://archive.ph/AbCd1", "shortener", "archive.ph"),
        ("https://web.archive.org/", "domain", "archive.org"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fherald.example%2Fx&h=1", "domain", "herald.example"),
        ("https://www.google.com/url?sa=t&q=https://herald.example/x", "domain", "herald.example"),
        ("https://www.google.de/url?url=http%3A%2F%2Fherald.example", "domain", "herald.example"),
        ("https://www.google.com/amp/s/www.herald.example/x", "domain", "herald.example"),
        ("https://www-herald-example.cdn.ampproject.org/c/s/www.herald.example/x", "domain", "herald.example"),
        ("https://www-herald-example.translate.goog/x?_x_tr_sl=ru", "domain", "herald.example"),
        ("https://translate.google.com/translate?u=herald.example", "domain", "herald.example"),
        ("https://vk.com/away.php?to=https%3A%2F%2Fherald.example", "domain", "herald.example"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fbit.ly%2Fx", "shortener", "bit.ly"),
        ("https://l.facebook.com/l.php", "none", ""),
        ("https://herald.example/?u=https://other.example", "domain", "herald.example"),
        ("https://t.ly/abc", "shortener", "t.ly"),
        ("https://m.facebook.com/profile.php?id=900100&ref=x", "account", "facebook:900100"),
        ("https://www.facebook.com/story.php?story_fbid=5&id=900100", "account", "facebook:900100"),
        ("https://www.facebook.com/profile.php", "none", ""),
        ("https://youtu.be/abc", "none", ""),
        ("https://herald.wordpress.com/2019", "hosted", "herald.wordpress.com"),
        ("https://wordpress.com/support", "domain", "wordpress.com"),
        ("https://medium.com/@Herald/post-1", "hosted", "medium.com/@herald"),
        ("https://sites.google.com/view/herald/page", "hosted", "sites.google.com/view/herald"),
        ("https://sites.google.com/", "domain", "sites.google.com"),
        # Unicode and punycode are one name, full-width dots are dots, look-alikes are not
        ("https://новости.рф/a", "domain", "новости.рф"),
        ("https://xn--b1amarcd.xn--p1ai/a", "domain", "новини.рф"),
        ("https://НОВОСТИ.рф", "domain", "новости.рф"),
        ("https://www。herald。example/", "domain", "herald.example"),
        ("https://hеrald.example", "domain", "hеrald.example"),
        ("https://xn--/", "none", ""),
        ("https://bit.ly/3xYz", "shortener", "bit.ly"),
        ("https://t.co/abc", "shortener", "t.co"),
        ("https://twitter.com/Herald/status/12", "account", "twitter:herald"),
        ("https://x.com/@Herald", "account", "twitter:herald"),
        ("https://twitter.com/i/web/status/12", "none", ""),
        ("https://m.facebook.com/pages/Herald/123", "account", "facebook:123"),
        ("https://www.youtube.com/channel/UCabc", "account", "youtube:ucabc"),
        ("https://youtube.com/watch?v=1", "none", ""),
        ("https://t.me/s/herald/7", "account", "telegram:herald"),
        ("192.0.2.7", "none", ""),
        ("http://[broken", "none", ""),
        ("no address", "none", ""),
        ("", "none", ""),
    ],
)
def test_whose_an_address_is(url, kind, key):
    site = sm.name_site(url)
    assert (site.kind, site.key) == (kind, key)


def test_punycode_and_unicode_meet_in_one_outlet():
    index = SiteIndex(make_outlets(("novini", ["xn--b1amarcd.xn--p1ai"], [])))
    assert index.find_url("https://www.новини.рф/статья").outlet_ids == ("novini",)


def test_a_blog_on_a_shared_host_matches_itself_and_never_the_host_or_a_neighbour():
    index = SiteIndex(make_outlets(("blog", ["https://herald.wordpress.com"], []), ("host", ["wordpress.com"], [])))
    assert index.find_url("https://herald.wordpress.com/1").outlet_ids == ("blog",)
    assert index.find_url("https://other.wordpress.com/1").outlet_ids == ()
    assert index.find_url("https://wordpress.com/about").outlet_ids == ("host",)
    path = SiteIndex(make_outlets(("column", ["https://medium.com/@herald"], [])))
    assert path.find_url("https://medium.com/@Herald/x").outlet_ids == ("column",)
    assert path.find_url("https://medium.com/@someone/x").outlet_ids == ()


@pytest.mark.parametrize(
    ("listed", "neighbour"),
    [
        ("a.blogspot.de", "https://b.blogspot.de/x"), ("foo.wix.com", "https://bar.wix.com"),
        ("foo.mozello.com", "https://bar.mozello.com"), ("foo.yahoo.com", "https://mail.yahoo.com"),
        ("news.univ.example", "https://phys.univ.example"), ("news.univ.example", "https://univ.example"),
        ("https://www.gov.example/ministry-tv", "https://www.gov.example/tax"),
        ("https://www.gov.example/ministry-tv", "https://www.gov.example/ministry-tv2"),
        ("https://wordpress.com/foo", "https://wordpress.com/bar"), ("medium.com/@a", "https://medium.com/@b/x"),
        ("https://sites.google.com/view/a", "https://sites.google.com/view/b"), ("t.me/a", "https://t.me/b/1"),
        ("facebook.com/a", "https://facebook.com/b"), ("github.io", "https://a.github.io"),
        ("web.archive.org", "https://web.archive.org/web/2/https://herald.example"),
        ("herald.example", "https://herald.example.evil.example/x"), ("herald.example", "https://notherald.example"),
        ("herald.example", "https://herald.example@evil.example/x"),
    ],
)  # fmt: skip
def test_a_neighbour_is_not_the_outlet(listed, neighbour):
    index = SiteIndex(make_outlets(("herald", [listed], [])))
    assert index.find_url(neighbour).outlet_ids == ()
    whole = listed if "://" in listed else f"https://{listed}"
    assert index.find_url(whole).outlet_ids == ("herald",)


def test_a_part_of_a_site_belongs_to_whom_lists_it():
    index = SiteIndex(make_outlets(("gov", ["gov.example"], []), ("tv", ["https://www.gov.example/TV/"], [])))
    assert index.find_url("https://gov.example/tv/news?x=1").outlet_ids == ("tv",)
    assert index.find_url("https://archive.ph/2020/http://www.gov.example/tax").outlet_ids == ("gov",)
    blog = SiteIndex(make_outlets(("blog", ["a.blogspot.com"], [])))
    assert blog.find_url("https://a.blogspot.fr/2020/1.html").outlet_ids == ("blog",)


def test_the_longest_listed_host_wins_and_a_tie_is_named():
    index = SiteIndex(make_outlets(("main", ["herald.example"], []), ("german", ["de.herald.example"], [])))
    assert index.find_url("https://de.herald.example/x").outlet_ids == ("german",)
    assert index.find_url("https://fr.herald.example/x").outlet_ids == ("main",)
    editions = SiteIndex(make_outlets(("german", ["de.herald.example"], []), ("french", ["fr.herald.example"], [])))
    assert editions.find_url("https://herald.example/x").outlet_ids == ()  # nobody lists it: nobody's
    shared = SiteIndex(make_outlets(("radio", ["herald.example"], []), ("tv", ["www.herald.example"], [])))
    assert shared.find_url("https://herald.example/x").outlet_ids == ("radio", "tv")


def test_a_shortener_is_nobodys_even_if_somebody_lists_it():
    index = SiteIndex(make_outlets(("sly", ["bit.ly"], [])))
    assert index.find_url("https://bit.ly/abc").outlet_ids == ()


def test_handles_are_by_platform():
    index = SiteIndex(make_outlets(("herald", ["https://t.me/herald_news"], ["Twitter:@TheHerald"])))
    assert index.find_handle("twitter", "theHERALD") == ("herald",)
    assert index.find_handle("facebook", "theherald") == ()
    assert index.find_url("https://t.me/herald_news/4").outlet_ids == ("herald",)


def test_link_kinds_say_how_much_stays_unseen():
    posts = pl.DataFrame(
        {"post_id": ["1", "2", "3"], "urls": [["https://bit.ly/a", "https://bit.ly/b"], ["herald.example"], []]}
    )
    assert sm.count_link_kinds(posts).rows() == [("shortener", 2, 1), ("domain", 1, 1)]


@given(st.text(max_size=60))
def test_no_text_makes_it_fail(text):
    site = sm.name_site(text)
    assert site.kind in ("domain", "hosted", "account", "shortener", "none")
