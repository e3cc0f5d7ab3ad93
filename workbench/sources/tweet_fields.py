"""Fields of a tweet that its v1.1 record and the pages of X hold alike: answers, counts, and the client."""

from __future__ import annotations

from workbench.sources.capture import Record


def read_client(html: object) -> str | None:
    """Return the client's name from the link it is given as: <a href="...">Twitter for iPhone</a>."""
    if not isinstance(html, str):
        return None
    return html.rsplit("</a>", 1)[0].rpartition(">")[2] or html


def read_answers_and_counts(tweet: Record) -> Record:
    """Return the cells of a post that say what the tweet answers or quotes, and its reposts, likes and replies."""
    return {
        "reply_to_id": tweet.get("in_reply_to_status_id_str"),
        "reply_to_account_id": tweet.get("in_reply_to_user_id_str"),
        "quote_of_id": tweet.get("quoted_status_id_str"),
        "n_reposts": tweet.get("retweet_count"),
        "n_likes": tweet.get("favorite_count"),
        "n_replies": tweet.get("reply_count"),
    }
