"""Which account an address stands for: profile addresses by platform, and hosts that many unrelated people share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit

from publicsuffixlist import PublicSuffixList

_SUFFIXES = PublicSuffixList()


@dataclass(frozen=True)
class Profile:
    """An account, page, group or channel as its address names it; handles in lower case, without @."""

    platform: str
    kind: str
    handle: str


@dataclass(frozen=True)
class _Rule:
    platform: str
    kind: str
    hosts: str
    path: str


_NAME = r"(?P<handle>[^/?#]+)"
_END = r"(?:/(?:posts|answers|about|videos|forum-posts|profile)?)?$"
_FACEBOOK = r"(?:m\.|web\.)?facebook\.com"
_RULES = (
    _Rule(
        "twitter",
        "account",
        r"(?:mobile\.)?(?:twitter|x)\.com",
        rf"/(?!(?:i|search|hashtag|home|intent)(?:/|$)){_NAME}/?$",
    ),
    _Rule("facebook", "group", _FACEBOOK, rf"/groups/{_NAME}/?$"),
    _Rule("facebook", "page", _FACEBOOK, r"/(?:pages/[^/]+|pg)/(?P<handle>[^/]+)/?$"),
    _Rule("facebook", "account", _FACEBOOK, rf"/(?!(?:groups|pages|pg|events|watch|ads)(?:/|$)){_NAME}/?$"),
    _Rule("instagram", "account", r"instagram\.com", rf"/(?!(?:p|reel|explore)(?:/|$)){_NAME}/?$"),
    _Rule("threads", "account", r"threads\.(?:net|com)", r"/@(?P<handle>[^/]+)/?$"),
    _Rule("youtube", "channel", r"(?:m\.)?youtube\.com", r"/(?:@|channel/|c/|user/)(?P<handle>[^/]+)(?:/\w+)?/?$"),
    _Rule("tiktok", "account", r"(?:m\.)?tiktok\.com", r"/@(?P<handle>[^/]+)/?$"),
    _Rule("telegram", "channel", r"(?:t|telegram)\.me", r"/(?:s/)?(?P<handle>(?!joinchat/)\+?[^/]+)/?$"),
    _Rule("telegram", "channel", r"(?:t|telegram)\.me", r"/joinchat/(?P<handle>[^/]+)/?$"),
    _Rule("medium", "account", r"medium\.com", r"/@(?P<handle>[^/]+)/?$"),
    _Rule("reddit", "account", r"(?:old\.)?reddit\.com", rf"/(?:user|u)/{_NAME}/?$"),
    _Rule("reddit", "group", r"(?:old\.)?reddit\.com", rf"/r/{_NAME}/?$"),
    _Rule("bluesky", "account", r"bsky\.app", rf"/profile/{_NAME}/?$"),
    _Rule("vk", "account", r"(?:m\.)?vk\.com", rf"/{_NAME}/?$"),
    _Rule("pinterest", "account", r"pinterest\.com", rf"/{_NAME}/?$"),
    _Rule("tumblr", "account", r"tumblr\.com", rf"/{_NAME}/?$"),
    _Rule("flickr", "account", r"flickr\.com", rf"/(?:photos|people)/{_NAME}/?$"),
    _Rule("vimeo", "account", r"vimeo\.com", r"/(?P<handle>[a-z][^/]*)/?$"),
    _Rule("soundcloud", "account", r"soundcloud\.com", rf"/{_NAME}/?$"),
    _Rule("github", "account", r"github\.com", rf"/{_NAME}/?$"),
    _Rule("artstation", "account", r"artstation\.com", rf"/{_NAME}/?$"),
    _Rule("nairaland", "account", r"nairaland\.com", r"/(?P<handle>[a-z][^/]*)/?$"),
    _Rule("quora", "account", r"(?:[a-z]{2}\.)?quora\.com", rf"/profile/{_NAME}{_END}"),
    _Rule("dzen", "channel", r"dzen\.ru", r"/(?:id/)?(?P<handle>[^/]+)/?$"),
)
_COMPILED = tuple(
    (rule, re.compile(rf"(?:www\.)?{rule.hosts}", re.IGNORECASE), re.compile(rule.path, re.IGNORECASE))
    for rule in _RULES
)
_BLOG_HOSTS = (
    "medium.com",
    "livejournal.com",
    "tumblr.com",
    "blogspot.com",
    "wordpress.com",
    "substack.com",
    "skyrock.com",
    "livedoor.blog",
    "quora.com",
)
_PLAIN = re.compile(r"https?://([a-z0-9.\-]+)((?:/[A-Za-z0-9_.~/\-]*)?)")
"""Most addresses: nothing in them has to be changed, and they need not be taken apart."""
_GENERIC_PATH = re.compile(
    r"/(?:[a-z]{2}/)?(?:@|(?:m/)?(?:user|users|u|profile|member|members|author|by)/|user-)(?P<handle>[^/?#]+)" + _END,
    re.IGNORECASE,
)
_GENERIC_QUERY = ("uid", "u", "id", "user_id")
_SHARED_HOSTS = frozenset(
    (
        "twitter.com x.com facebook.com fb.com fb.me instagram.com threads.net threads.com youtube.com youtu.be "
        "tiktok.com t.me telegram.me reddit.com bsky.app vk.com pinterest.com flickr.com vimeo.com soundcloud.com "
        "github.com google.com docs.google.com drive.google.com wikipedia.org amazon.com apple.com archive.org "
        "web.archive.org change.org avaaz.org bit.ly t.co tinyurl.com cutt.ly chng.it goo.gl ow.ly linktr.ee ift.tt "
        "dlvr.it weibo.com douyin.com line.me whatsapp.com discord.gg patreon.com " + " ".join(_BLOG_HOSTS)
    ).split()
)


@lru_cache(maxsize=20_000)
def find_profile(address: str, *, is_account_listed: bool = False) -> Profile | None:
    """Return the account a refanged address stands for; None where it is a post, a page of a site, or no address.

    Args:
        address: with or without scheme.
        is_account_listed: the sheet lists it among accounts, so that a path like `/member.php?u=5` on a site we do
            not know may be read as one.
    """
    host, path, query = split_address(address)
    if not host:
        return None
    for rule, path_pattern in _rules_of(host):
        found = path_pattern.match(path)
        if found and not (rule.platform == "facebook" and found["handle"].lower() == "profile.php"):
            return Profile(rule.platform, rule.kind, clean_handle(found["handle"]))
    if re.fullmatch(r"(?:www\.|m\.|web\.)?facebook\.com", host) and path.rstrip("/") == "/profile.php":
        ids = parse_qs(query).get("id", [])
        return Profile("facebook", "account", ids[0]) if ids else None
    if path in ("", "/"):
        return _blog_on_shared_host(host)
    return _generic_profile(host, path, query) if is_account_listed else None


@lru_cache(maxsize=20_000)
def _rules_of(host: str) -> tuple[tuple[_Rule, re.Pattern[str]], ...]:
    return tuple((rule, path) for rule, hosts, path in _COMPILED if hosts.fullmatch(host))


def profile_address(platform: str | None, kind: str, handle: str) -> str:
    """Return the address of an account, as sheets publish it; the bare handle where we know none for the platform."""
    name = handle.lstrip("@＠")
    forms = {
        "facebook": "facebook.com/groups/{}" if kind == "group" else "facebook.com/{}",
        "twitter": "twitter.com/{}",
        "instagram": "instagram.com/{}",
        "threads": "threads.net/@{}",
        "youtube": "youtube.com/@{}",
        "tiktok": "tiktok.com/@{}",
        "telegram": "t.me/{}",
        "reddit": "reddit.com/r/{}" if kind == "group" else "reddit.com/user/{}",
        "bluesky": "bsky.app/profile/{}",
        "medium": "medium.com/@{}",
    }
    return forms[platform].format(name) if platform in forms else name


@lru_cache(maxsize=20_000)
def split_address(address: str) -> tuple[str, str, str]:
    """Return host (lower case), path and query of an address; three blanks where it is none."""
    plain = _PLAIN.fullmatch(address)
    if plain:
        return plain[1].rstrip("."), plain[2], ""
    text = address.strip()
    if not re.match(r"(?i)https?://", text):
        if not re.match(r"^[^\s/@:]+\.[^\s/@:.]{2,}(?:[/?#:]|$)", text):
            return "", "", ""
        text = "https://" + text
    try:
        parts = urlsplit(text)
        return (parts.hostname or "").lower().rstrip("."), unquote(parts.path), parts.query
    except ValueError:
        return "", "", ""


def clean_handle(handle: str) -> str:
    """Return a handle as it counts for sameness: percent signs decoded, no @, no white space round it, lower case."""
    return unquote(handle).strip().lstrip("@＠").casefold()


@lru_cache(maxsize=20_000)
def registered_domain(host: str) -> str:
    """Return the part of a host somebody registered (`news.example.co.uk` -> `example.co.uk`).

    A blog on a host that hands out subdomains to strangers (blogspot.com and the like, in the public suffix list's
    private section) counts as registered by the blogger.
    """
    return _SUFFIXES.privatesuffix(host.lower()) or host.lower()


def is_shared_host(host: str) -> bool:
    """Whether many unrelated people publish under this very host, so that it says nothing about any of them."""
    bare = host.lower().removeprefix("www.")
    return bare in _SHARED_HOSTS or registered_domain(bare) in _SHARED_HOSTS - set(_BLOG_HOSTS)


def _blog_on_shared_host(host: str) -> Profile | None:
    for shared in _BLOG_HOSTS:
        name = host.removesuffix("." + shared)
        # Two letters are a language edition (jp.quora.com), not a blog.
        if name != host and name != "www" and len(name) > 2 and "." not in name:
            return Profile(shared.rsplit(".", 1)[0] if shared != "livedoor.blog" else shared, "account", name)
    return None


def _generic_profile(host: str, path: str, query: str) -> Profile | None:
    site = registered_domain(host)
    found = _GENERIC_PATH.match(path)
    if found:
        return Profile(site, "account", clean_handle(found["handle"]))
    if path.endswith(".php"):
        fields = parse_qs(query)
        for key in _GENERIC_QUERY:
            if fields.get(key):
                return Profile(site, "account", clean_handle(fields[key][0]))
    return None
