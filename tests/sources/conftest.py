"""Writers of small synthetic files in Twitter's layout, one row at a time, so a test shows only what it is about."""

import csv
import io

import pytest

from workbench.sources.twitter_archive import TWEETS, USERS

USER_COLUMNS = [*USERS.read[:5], "user_profile_url", *USERS.read[5:]]
TWEET_COLUMNS = [
    "tweetid",
    *USER_COLUMNS,
    *TWEETS.read[10:20],
    "latitude",
    "longitude",
    "quote_count",
    *TWEETS.read[20:],
    "poll_choices",
]
HASH = "Q7wMm2zemFOF7kmXoDyX24Bo+TorqhNutpZlATYyxsE="
USER = {
    "userid": "1001",
    "user_display_name": "Harbour Lamp",
    "user_screen_name": "harbour_lamp",
    "user_reported_location": "Lantern Bay",
    "user_profile_description": "synthetic",
    "user_profile_url": "",
    "follower_count": "12",
    "following_count": "3",
    "account_creation_date": "2017-08-30",
    "account_language": "zh-cn",
}
TWEET = {
    **USER,
    "tweetid": "20",
    "tweet_language": "en",
    "tweet_text": "The ferry is late",
    "tweet_time": "2019-06-30 06:07",
    "tweet_client_name": "Web",
    "is_retweet": "false",
    "latitude": "absent",
    "longitude": "absent",
    "quote_count": "0",
    "reply_count": "0",
    "like_count": "1",
    "retweet_count": "2",
    "hashtags": "[]",
    "urls": "[]",
    "user_mentions": "[]",
}


def _as_csv(columns: list[str], base: dict[str, str], rows: list[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[{**base, **row}.get(column, "") for column in columns] for row in rows])
    return out.getvalue()


@pytest.fixture
def users_csv():
    """Text of a users file with one row per dict of differences from a plain account."""
    return lambda *rows: _as_csv(USER_COLUMNS, USER, list(rows))


@pytest.fixture
def tweets_csv():
    """Text of a tweets file with one row per dict of differences from a plain post."""
    return lambda *rows: _as_csv(TWEET_COLUMNS, TWEET, list(rows))


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file of this name, and give its path."""

    def _write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write
