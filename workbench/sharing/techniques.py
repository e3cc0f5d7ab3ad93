"""What was seen, in the words of two frameworks: DISARM technique ids and the procedures of Meta's kill chain.

Source: DISARM framework (CC BY-SA 4.0), names as of November 2024; Meta's Online Operations Kill Chain.
Beware: a technique's name says what operations do. Our rows say what was observed; a fan club shares links too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Technique:
    """A DISARM technique."""

    disarm_id: str
    name: str
    phase: str


@dataclass(frozen=True)
class KillChainStep:
    """One row's place in Meta's kill chain."""

    tactic: str = ""
    technique: str = ""
    procedure: str = ""


COPYPASTA = Technique("T0084.001", "Use Copypasta", "develop-content")
AMPLIFY = Technique("T0118", "Amplify Existing Narrative", "maximise-exposure")
HASHTAG = Technique("T0015.001", "Use Existing Hashtag", "develop-content")
ACROSS_PLATFORMS = Technique("T0119.002", "Post across Platform", "maximise-exposure")
ACCOUNT = Technique("T0146", "Account Asset", "establish-assets")
PAGE = Technique("T0151.003", "Online Community Page", "select-channels-and-affordances")
GROUP = Technique("T0151.002", "Online Community Group", "select-channels-and-affordances")
CHANNEL = Technique("T0151.007", "Chat Broadcast Group", "select-channels-and-affordances")
DOMAIN = Technique("T0149.001", "Domain Asset", "establish-assets")

TECHNIQUE_OF_TRACE = {
    "same_text": COPYPASTA,
    "similar_text": COPYPASTA,
    "media": COPYPASTA,
    "repost": AMPLIFY,
    "fast_repost": AMPLIFY,
    "url": AMPLIFY,
    "domain": AMPLIFY,
    "hashtag": HASHTAG,
    "hashtag_sequence": HASHTAG,
}
"""Trace -> the technique it is an observation of; traces that are none (reply, synchrony, ...) are left out."""

TECHNIQUE_OF_TYPE = {"account": ACCOUNT, "page": PAGE, "group": GROUP, "channel": CHANNEL}

_ACQUIRING = ("0. Acquiring assets", "0.9 Acquiring social media accounts")
_STEP_OF_PLATFORM = {
    "facebook": "0.9.1 Acquiring Facebook assets",
    "instagram": "0.9.2 Acquiring Instagram accounts",
    "threads": "0.9.3 Acquiring Threads accounts",
    "twitter": "0.9.4 Acquiring X / Twitter accounts",
    "youtube": "0.9.5 Acquiring YouTube channels",
    "tiktok": "0.9.6 Acquiring TikTok accounts",
    "telegram": "0.9.7 Acquiring Telegram channels",
}
_OTHER_PLATFORM = "0.9.12 Acquiring other social media assets"
_LINK = KillChainStep("7. Targeted engagement", "7.5 Directing online traffic", "7.5.2 Directing audience to website")
_CONTENT = KillChainStep("6. Indiscriminate engagement")


def place_in_kill_chain(indicator_type: str, *, platform: str | None) -> KillChainStep:
    """Return where a row of ours stands in Meta's kill chain."""
    if indicator_type in ("account", "page", "group", "channel", "asset_count"):
        return KillChainStep(*_ACQUIRING, _STEP_OF_PLATFORM.get(platform or "", _OTHER_PLATFORM))
    return _LINK if indicator_type in ("url", "domain") else _CONTENT
