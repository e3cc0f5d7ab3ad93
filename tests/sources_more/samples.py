"""One invented record per format, with the structure real captures have, and what it must become."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

TWEET_ID = str((1_600_000_000_123 - 1_288_834_974_657) << 22 | 4242)
TWEET_TIME = "2020-09-13T12:26:40.000Z"

V2_USER = {
    "id": "11",
    "username": "LindenVoice1",
    "name": "Linden Voice",
    "created_at": "2019-01-02T03:04:05.000Z",
    "public_metrics": {"followers_count": 12, "following_count": 3},
    "description": "news",
    "location": "Lindenport",
}
V2_TWEET = {
    "id": TWEET_ID,
    "author_id": "11",
    "text": "The bridge #LindenAwake @mayor https://t.co/x",
    "created_at": TWEET_TIME,
    "lang": "en",
    "source": "Web",
    "public_metrics": {"retweet_count": 4, "like_count": 5, "reply_count": 6, "quote_count": 0},
    "entities": {
        "urls": [{"url": "https://t.co/x", "expanded_url": "https://linden.example/a"}],
        "hashtags": [{"tag": "LindenAwake"}],
        "mentions": [{"username": "mayor", "id": "99"}],
    },
}
V2_RETWEET = {
    "id": str(int(TWEET_ID) + 5),
    "author_id": "12",
    "text": "RT @LindenVoice1: The bridge #Lin…",
    "created_at": TWEET_TIME,
    "referenced_tweets": [{"type": "retweeted", "id": TWEET_ID}],
}
V2_PAGE = {
    "data": [V2_RETWEET],
    "includes": {"users": [V2_USER, {**V2_USER, "id": "12", "username": "second"}], "tweets": [V2_TWEET]},
    "meta": {"result_count": 1},
}
V2_FLAT = {
    **V2_RETWEET,
    "author": {**V2_USER, "id": "12", "username": "second"},
    "referenced_tweets": [{"type": "retweeted", **V2_TWEET, "author": V2_USER}],
}

V1_USER = {
    "id_str": "11",
    "screen_name": "LindenVoice1",
    "name": "Linden Voice",
    "created_at": "Wed Jan 02 03:04:05 +0000 2019",
    "followers_count": 12,
    "friends_count": 3,
}
V1_TWEET = {
    "id_str": TWEET_ID,
    "user": V1_USER,
    "created_at": "Sun Sep 13 12:26:40 +0000 2020",
    "full_text": "The bridge",
    "source": '<a href="https://x.example" rel="nofollow">Web App</a>',
    "lang": "en",
    "retweet_count": 4,
    "favorite_count": 5,
    "entities": {"urls": [], "hashtags": [{"text": "LindenAwake"}], "user_mentions": [{"id_str": "99"}]},
}
V1_RETWEET = {
    **V1_TWEET,
    "id_str": str(int(TWEET_ID) + 5),
    "user": {**V1_USER, "id_str": "12"},
    "full_text": "RT @LindenVoice1: The bri…",
    "retweeted_status": V1_TWEET,
}

X_ITEM: dict[str, Any] = {
    "rest_id": TWEET_ID,
    "core": {
        "user_results": {
            "result": {
                "rest_id": "11",
                "core": {"created_at": "Wed Jan 02 03:04:05 +0000 2019", "name": "LV", "screen_name": "LindenVoice1"},
                "location": {"location": "Lindenport"},
                "legacy": {"followers_count": 12, "friends_count": 3, "description": "news"},
            }
        }
    },
    "source": '<a href="https://x.example">Web App</a>',
    "legacy": {
        "id_str": TWEET_ID,
        "created_at": "Sun Sep 13 12:26:40 +0000 2020",
        "full_text": "The bridge",
        "lang": "en",
        "entities": {
            "urls": [{"expanded_url": "https://linden.example/a"}],
            "hashtags": [{"text": "LindenAwake"}],
            "user_mentions": [{"id_str": "99", "screen_name": "mayor"}],
        },
        "retweet_count": 4,
        "favorite_count": 5,
        "reply_count": 6,
        "in_reply_to_status_id_str": "77",
        "in_reply_to_user_id_str": "78",
    },
}
ZEESCHUIMER_X = {
    "nav_index": "1",
    "item_id": TWEET_ID,
    "timestamp_collected": 1,
    "source_platform": "twitter.com",
    "data": X_ITEM,
}
TIKTOK_ITEM = {
    "id": "71",
    "desc": "the bridge #LindenAwake",
    "createTime": 1_600_000_000,
    "author": {"id": "11", "uniqueId": "lindenvoice", "nickname": "LV", "signature": "news"},
    "authorStats": {"followerCount": 12, "followingCount": 3},
    "stats": {"diggCount": 5, "shareCount": 4, "commentCount": 6, "playCount": 100},
    "textExtra": [{"hashtagName": "LindenAwake", "userUniqueId": ""}],
    "music": {"id": "m1"},
    "duetInfo": {"duetFromId": "0"},
}
ZEESCHUIMER_TIKTOK = {**ZEESCHUIMER_X, "item_id": "71", "source_platform": "tiktok.com", "data": TIKTOK_ITEM}

TELETHON = {
    "_": "Message",
    "id": 5,
    "peer_id": {"_": "PeerChannel", "channel_id": 77},
    "date": "2020-09-13 12:26:40.000000",
    "message": "🙂 see https://linden.example/a",
    "post": True,
    "from_id": None,
    "fwd_from": {"from_id": {"_": "PeerChannel", "channel_id": 88}, "channel_post": 9},
    "entities": [{"_": "MessageEntityUrl", "offset": 7, "length": 24}],
    "media": {"_": "MessageMediaPhoto", "photo": {"id": 345}},
    "forwards": 4,
    "reactions": {"results": [{"count": 2}, {"count": 3}]},
    "replies": {"replies": 6},
}
DESKTOP = {
    "name": "Linden Talk",
    "type": "public_channel",
    "id": 77,
    "messages": [
        {"id": 1, "type": "service", "date": "2020-09-13T12:00:00", "action": "create_channel"},
        {
            "id": 5,
            "type": "message",
            "date": "2020-09-13T12:26:40",
            "date_unixtime": "1600000000",
            "from": "Linden Talk",
            "from_id": "channel77",
            "forwarded_from": "Other Talk",
            "reply_to_message_id": 4,
            "text": ["see ", {"type": "link", "text": "https://linden.example/a"}],
        },
    ],
}

MASTODON = {
    "id": "500",
    "created_at": "2020-09-13T12:26:40.123Z",
    "visibility": "public",
    "language": "en",
    "content": '<p>The bridge <a href="https://m.example/tags/l" class="mention hashtag">#<span>LindenAwake</span></a><br>'
    'see <a href="https://linden.example/a">here</a> &amp; there</p>',
    "account": {"id": "11", "acct": "lv@m.example", "display_name": "LV", "followers_count": 12, "note": "<p>news</p>"},
    "tags": [{"name": "lindenawake"}],
    "mentions": [{"id": "99", "acct": "mayor"}],
    "reblogs_count": 4,
    "favourites_count": 5,
    "replies_count": 6,
    "in_reply_to_id": "400",
    "in_reply_to_account_id": "99",
    "media_attachments": [{"blurhash": "U1"}],
}
MASTODON_BOOST = {
    **MASTODON,
    "id": "501",
    "content": "",
    "account": {"id": "12", "acct": "second"},
    "reblog": MASTODON,
    "tags": [],
    "in_reply_to_id": None,
    "media_attachments": [],
}

BLUESKY = {
    "uri": "at://did:plc:one/app.bsky.feed.post/a",
    "cid": "c",
    "author": {"did": "did:plc:one", "handle": "lv.example", "displayName": "LV"},
    "record": {
        "text": "The bridge",
        "createdAt": "2020-09-13T12:26:40.123Z",
        "langs": ["en"],
        "facets": [
            {
                "features": [
                    {"$type": "app.bsky.richtext.facet#tag", "tag": "LindenAwake"},
                    {"$type": "app.bsky.richtext.facet#link", "uri": "https://linden.example/a"},
                    {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:mayor"},
                ]
            }
        ],
        "embed": {"images": [{"image": {"ref": {"$link": "baf1"}}}]},
        "reply": {"parent": {"uri": "at://did:plc:two/app.bsky.feed.post/b"}},
    },
    "repostCount": 4,
    "likeCount": 5,
    "replyCount": 6,
}
BLUESKY_FEED = {
    "post": BLUESKY,
    "reason": {
        "$type": "app.bsky.feed.defs#reasonRepost",
        "by": {"did": "did:plc:three", "handle": "third.example"},
        "indexedAt": "2020-09-13T12:27:00Z",
    },
}
JETSTREAM = {
    "did": "did:plc:one",
    "time_us": 1_600_000_000_123_456,
    "kind": "commit",
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "a",
        "record": {"text": "The bridge", "createdAt": "1999-01-01T00:00:00Z"},
    },
}
JETSTREAM_REPOST = {
    **JETSTREAM,
    "commit": {
        "operation": "create",
        "collection": "app.bsky.feed.repost",
        "rkey": "r",
        "record": {"subject": {"uri": "at://did:plc:two/app.bsky.feed.post/b"}},
    },
}

SUBMISSION = {
    "id": "s1",
    "author": "LindenVoice1",
    "author_fullname": "t2_11",
    "subreddit": "lindenport",
    "created_utc": 1_600_000_000,
    "title": "The bridge",
    "selftext": "is &amp; was broken",
    "is_self": False,
    "url": "https://linden.example/a?x=1&amp;y=2",
    "score": 5,
    "num_comments": 6,
    "num_crossposts": 4,
}
COMMENT = {
    "id": "c1",
    "author": "[deleted]",
    "subreddit": "lindenport",
    "created_utc": "1600000100",
    "body": "see https://linden.example/a",
    "parent_id": "t3_s1",
    "score": -3,
}

CROWDTANGLE = {
    "Page Name": "Linden Voice",
    "User Name": "lindenvoice",
    "Facebook Id": "900",
    "Page Category": "MEDIA",
    "Page Admin Top Country": "LP",
    "Page Description": "news",
    "Page Created": "2019-01-02 03:04:05",
    "Likes at Posting": "10",
    "Followers at Posting": "1,234",
    "Post Created": "2020-09-13 08:26:40 EDT",
    "Type": "Link",
    "Total Interactions": "1,005",
    "Likes": "1,000",
    "Love": "5",
    "Comments": "6",
    "Shares": "4",
    "URL": "https://www.facebook.com/900/posts/1",
    "Message": "The bridge #LindenAwake",
    "Link": "https://bit.example/1",
    "Final Link": "https://linden.example/a",
    "Image Text": "",
}
CROWDTANGLE_GROUP = {
    "Group Name": "East Quay Talk",
    **{name: value for name, value in CROWDTANGLE.items() if not name.startswith("Page")},
    "Facebook Id": "901",
    "URL": "https://www.facebook.com/groups/901/permalink/1",
}
CROWDTANGLE_INSTAGRAM = {
    "Account": "LV",
    "User Name": "lindenvoice",
    "Followers at Posting": "N/A",
    "Post Created": "2020-09-13 12:26:40 UTC",
    "Type": "Photo",
    "Likes": "5",
    "Comments": "6",
    "URL": "https://www.instagram.com/p/Cab/",
    "Photo": "https://i.example/1",
    "Title": "",
    "Description": "The bridge #LindenAwake",
}
CONTENT_LIBRARY = {
    "id": "777",
    "creation_time": "2020-09-13T12:26:40+00:00",
    "text": "The bridge #LindenAwake",
    "lang": "en",
    "post_owner.id": "900",
    "post_owner.type": "Facebook Page",
    "post_owner.name": "Linden Voice",
    "post_owner.username": "lindenvoice",
    "surface.id": "901",
    "surface.type": "Facebook Group",
    "surface.name": "East Quay Talk",
    "surface.username": "",
    "link_attachment.link": "https://linden.example/a",
    "statistics.reaction_count": "5",
    "statistics.share_count": "4",
    "statistics.comment_count": "6",
    "shared_post_id": "",
    "mcl_url": "https://www.facebook.com/mcl/1",
}
FOUR_CAT = {
    "id": "10",
    "thread_id": "9",
    "timestamp": "2020-09-13 12:26:40",
    "unix_timestamp": "1600000000",
    "author": "LindenVoice1",
    "author_fullname": "LV",
    "author_id": "11",
    "body": "The bridge",
    "hashtags": "LindenAwake,Bridge",
    "mentions": "mayor",
    "urls": "https://linden.example/a",
    "is_retweet": "no",
    "retweet_count": "4",
    "like_count": "5",
    "reply_count": "6",
}
YOUTUBE_VIDEO = {
    "position": "1",
    "channelId": "UC1",
    "channelTitle": "LV",
    "videoId": "v1",
    "publishedAt": "2020-09-13T12:26:40Z",
    "videoTitle": "The bridge",
    "videoDescription": "see https://linden.example/a #LindenAwake",
    "likeCount": "5",
    "commentCount": "6",
}
YOUTUBE_COMMENT = {
    "id": "k1",
    "replyCount": "6",
    "likeCount": "5",
    "publishedAt": "2020-09-13 12:26:40",
    "authorName": "@second",
    "text": "The bridge",
    "authorChannelId": "UC2",
    "isReply": "1",
    "isReplyTo": "k0",
    "isReplyToName": "@first",
}
