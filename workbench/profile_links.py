"""Links to accounts inside texts: found, and written without the name of the account they lead to."""

from __future__ import annotations

import re
from collections.abc import Callable

HOSTS = (
    "twitter.com", "x.com", "facebook.com", "fb.com", "instagram.com", "threads.net", "tiktok.com", "youtube.com",
    "t.me", "telegram.me", "vk.com", "weibo.com", "reddit.com", "linkedin.com", "bsky.app", "gab.com", "medium.com",
    "pinterest.com", "snapchat.com", "ok.ru", "nitter.net", "linktr.ee", "threads.com", "truthsocial.com", "gettr.com",
    "parler.com", "twitch.tv", "patreon.com", "wa.me", "douyin.com",
)  # fmt: skip
_SLASH = r"(?:/|%(?:25)*2[Ff])"
_HOST = "|".join(re.escape(host) for host in HOSTS)
_BEFORE_HOST = r"(?:https?://|https?%(?:25)*3A%(?:25)*2F%(?:25)*2F)?(?:[a-z0-9\-]+\.)*"
PROFILE_LINK = rf"""(?i:(?:\b|%(?:25)*2F){_BEFORE_HOST}(?:{_HOST}){_SLASH}[^\s"'<>()\[\]，。、！？；：]+)"""
"""Pattern, for Rust's and Python's engines alike, of an address on a platform with something behind the host."""

_PARTS = re.compile(rf"(?i)^(?P<head>.*?(?:{_HOST})){_SLASH}(?P<tail>.*)$")
BEFORE_A_NAME = frozenset(
    (
        "user", "u", "channel", "c", "in", "company", "profile", "people", "pages", "groups", "stories", "s", "id",
        "add", "public",
    )
)  # fmt: skip
NO_NAME = frozenset(
    (
        "i", "hashtag", "search", "intent", "share", "sharer", "sharer.php", "home", "explore", "settings",
        "login", "tos", "privacy", "about", "watch", "video", "photo", "photo.php", "events",
        "story.php", "permalink.php", "dialog", "p", "reel", "reels", "tv", "joinchat", "playlist", "shorts",
        "results", "feed", "live", "embed", "r", "tag", "discover", "topics", "jobs", "help", "business", "ads",
        "marketplace", "gaming", "plugins", "l.php", "web", "status", "redirect",
    )
)  # fmt: skip
_NAME_IN_QUERY = re.compile(
    r"(?i)\b((?:id|user_id|screen_name|user|via|related|phone)=|(?:from|to)(?::|%3A)|@|%(?:25)*40)([\w.\-]+)"
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
    encoded = re.search(r"(?i)%(?:25)*2f", link)
    slash = encoded[0] if encoded else "/"
    path, _, query = parts["tail"].removeprefix("#!").partition("?")
    path = path.partition("#")[0]
    words = [word for word in re.split(r"(?i)/|%(?:25)*2f", path) if word]
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

    at = 1 if words[0].lower() in BEFORE_A_NAME and len(words) > 1 else 0
    if at == 0 and (words[0].lower() in NO_NAME or words[0].lower() in BEFORE_A_NAME):
        shown = [show_post(word) if re.fullmatch(r"\d{5,}", word) else word for word in words]
        return parts["head"] + slash + slash.join(shown) + (f"?{rewrite_query(query)}" if query else "")
    shown = [*words[:at], _show_segment(words[at], show_name)]
    shown += [show_post(word) if re.search(r"\d", word) else word for word in words[at + 1 :]]
    return parts["head"] + slash + slash.join(shown)


def _show_segment(segment: str, show_name: Callable[[str], str]) -> str:
    """A name may carry a sign before it and punctuation of the sentence behind it."""
    sign, name, tail = re.fullmatch(r"(@|%(?:25)*40|)(.*?)([.,;:!…]*)", segment, flags=re.DOTALL).groups()  # ty: ignore
    return sign + show_name(name) + tail if name else segment
