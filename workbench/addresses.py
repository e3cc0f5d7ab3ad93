"""Addresses inside texts: written so that nobody can click them, and without the names of accounts they lead to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

HOSTS = (
    "twitter.com", "x.com", "facebook.com", "fb.com", "instagram.com", "threads.net", "tiktok.com", "youtube.com",
    "t.me", "telegram.me", "vk.com", "weibo.com", "reddit.com", "linkedin.com", "bsky.app", "gab.com", "medium.com",
    "pinterest.com", "snapchat.com", "ok.ru", "nitter.net", "linktr.ee",
)  # fmt: skip
_SLASH = r"(?:/|%2[Ff])"
PROFILE_LINK = (
    rf"(?i:(?:\b|%2F)(?:https?://|https?%3A%2F%2F)?(?:[a-z0-9\-]+\.)*(?:{'|'.join(re.escape(host) for host in HOSTS)})"
    rf"""{_SLASH}[^\s"'<>()\[\]，。、！？；：]+)"""
)
"""Pattern, for Rust's and Python's engines alike, of an address on a platform with something behind the host."""

_PARTS = re.compile(rf"(?i)^(?P<head>.*?(?:{'|'.join(re.escape(host) for host in HOSTS)})){_SLASH}(?P<tail>.*)$")
_BEFORE_A_NAME = frozenset(
    ("user", "u", "channel", "c", "in", "company", "profile", "people", "pages", "stories", "s", "id", "add", "public")
)
_NO_NAME = frozenset(
    (
        "i", "hashtag", "search", "intent", "share", "sharer", "sharer.php", "home", "explore", "settings",
        "login", "tos", "privacy", "about", "watch", "video", "photo", "photo.php", "groups", "events",
        "story.php", "permalink.php", "dialog", "p", "reel", "reels", "tv", "joinchat", "playlist", "shorts",
        "results", "feed", "live", "embed", "r", "tag", "discover", "topics", "jobs", "help", "business", "ads",
        "marketplace", "gaming", "plugins", "l.php", "web", "status", "redirect",
    )
)  # fmt: skip
_NAME_IN_QUERY = re.compile(
    r"(?i)\b((?:id|user_id|screen_name|user|via|related)=|(?:from|to)(?::|%3A)|@|%40)([\w.\-]+)"
)
_POST_IN_QUERY = re.compile(r"(?i)\b((?:fbid|story_fbid|in_reply_to|tweet_id|status)=)([\w.\-]+)")


def rewrite_profile_link(link: str, *, show_name: Callable[[str], str], show_post: Callable[[str], str]) -> str:
    """Return the link with the name and the ids of posts as they may be shown.

    Args:
        link: text that `PROFILE_LINK` matched.
        show_name: handle or account id -> what to write instead (or itself, where it may be shown).
        show_post: the same for ids of posts.

    Returns:
        The link; query and fragment behind a profile are dropped, they say nothing of what was shared.
    """
    parts = _PARTS.match(link)
    if parts is None:
        return link
    slash = "%2F" if re.search(r"(?i)%2f", link) else "/"
    path, _, query = parts["tail"].partition("?")
    path = path.partition("#")[0]
    words = [word for word in re.split(r"(?i)/|%2f", path) if word]
    if not words:
        return link
    if words[0].lower() == "profile.php":
        named = _NAME_IN_QUERY.search(query)
        return parts["head"] + slash + (show_name(named[2]) if named else "profile.php")

    def rewrite_query(text: str) -> str:
        text = re.sub(
            PROFILE_LINK, lambda nested: rewrite_profile_link(nested[0], show_name=show_name, show_post=show_post), text
        )
        text = _POST_IN_QUERY.sub(lambda found: found[1] + show_post(found[2]), text)
        return _NAME_IN_QUERY.sub(lambda found: found[1] + show_name(found[2]), text)

    at = 1 if words[0].lower() in _BEFORE_A_NAME and len(words) > 1 else 0
    if at == 0 and (words[0].lower() in _NO_NAME or words[0].lower() in _BEFORE_A_NAME):
        shown = [show_post(word) if re.fullmatch(r"\d{5,}", word) else word for word in words]
        return parts["head"] + slash + slash.join(shown) + (f"?{rewrite_query(query)}" if query else "")
    shown = [*words[:at], _show_segment(words[at], show_name)]
    shown += [show_post(word) if re.search(r"\d", word) else word for word in words[at + 1 :]]
    return parts["head"] + slash + slash.join(shown)


def _show_segment(segment: str, show_name: Callable[[str], str]) -> str:
    """A name may carry a sign before it and punctuation of the sentence behind it."""
    sign, name, tail = re.fullmatch(r"(@|%40|)(.*?)([.,;:!…]*)", segment, flags=re.DOTALL).groups()  # ty: ignore
    return sign + show_name(name) + tail if name else segment


_ADDRESS = re.compile(
    r"(?P<scheme>\b(?:https?|ftp)://)(?P<host>[^\s/?#]+)(?P<rest>\S*)"
    r"|(?P<mail>[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+)"
    r"|(?<![\w.\]])(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?![\w.])"
    r"|(?<![\w.:\]])(?P<ip6>(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})(?![\w:])"
    r"|(?<![\w.@/\]\[])(?P<domain>(?:[^\W_][\w\-]*\.)+[a-z]{2,24})(?![\w\[])(?P<path>/\S*)?"
)


def defang(text: str) -> str:
    """Return the text with every address, domain, e-mail and IP written so that no program makes it a link.

    `https://a.example/x` becomes `hxxps://a[.]example/x`, `b@a.example` becomes `b[@]a[.]example`, `192.0.2.7`
    becomes `192[.]0[.]2[.]7`. What is defanged already stays as it is; `refang` gives the address back.
    """
    return _ADDRESS.sub(_defang_address, text)


def _defang_address(found: re.Match[str]) -> str:
    if found["scheme"]:
        scheme = found["scheme"].lower().replace("http", "hxxp").replace("ftp", "fxp")
        return scheme + _bracket_dots(found["host"]) + found["rest"]
    if found["mail"]:
        name, _, host = found["mail"].rpartition("@")
        return f"{name}[@]{_bracket_dots(host)}"
    if found["ip6"]:
        return found[0].replace(":", "[:]") if _is_ip(found["ip6"]) else found[0]
    if found["ip"]:
        return _bracket_dots(found[0]) if _is_ip(found["ip"]) else found[0]
    return _bracket_dots(found["domain"]) + (found["path"] or "")


def _bracket_dots(host: str) -> str:
    return re.sub(r"(?<!\[)\.(?!\])", "[.]", host)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:  # four numbers with dots can be a version, colons can be a time of day
        return False
    return True


_FANGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), clear)
    for pattern, clear in (
        (r"(?i)\bh(?:xx|\*\*|tt|XX)p(s?)(?:\[:\]|\[:/\]|:)(?://|\\/\\/|\[//\]|/)", r"http\1://"),
        (r"(?i)\bh(?:xx|\*\*|tt)p(s?)(?:\[://\]|\(://\))", r"http\1://"),
        (r"(?i)\bfxps?://", "ftp://"),
        (r"(?i)\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?", "."),
        (r"(?<=\w)\\\.(?=\w)", "."),
        (r"(?<=\w)(?:\[\.|\.\])(?=\w)", "."),
        (r"(?i)\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", "@"),
        (r"\[:\]", ":"),
        (r"(?<=\w)\[/\]", "/"),
    )
)


def refang(text: str) -> str:
    r"""Return the text with its defanged addresses as they work, whichever of the usual styles they are written in.

    Known styles: `hxxp`, `hXXps`, `h**p`, `[:]//`, `[://]`, `[.]`, `(.)`, `{.}`, `[dot]`, `\.`, half a bracket,
    `[@]`, `(at)`, `[:]`.
    """
    for fang, clear in _FANGS:
        text = fang.sub(clear, text)
    return text
