"""Presence on each platform, in the form Meta's reports use, with bounds where counts cannot be added up."""

import polars as pl
import pytest

from workbench.schema import ParameterError, Quote, check_table, empty_table
from workbench.sections.presence import describe_presence
from workbench.state_media import find_own_adverts
from workbench.state_media.adverts import ADVERTS


def accounts(*rows: tuple[str, str, str, int | None]) -> pl.DataFrame:
    columns = ("account_id", "platform", "kind", "n_followers")
    table = pl.DataFrame(
        [dict(zip(columns, row, strict=True)) for row in rows], schema_overrides={"n_followers": pl.Int64}
    )
    absent = ("handle", "display_name", "created_at", "n_following", "location", "description", "language")
    return check_table(table.with_columns(**dict.fromkeys(absent), is_pseudonymous=False), "accounts")


NETWORK = accounts(
    ("facebook:1", "facebook", "page", 9_000),
    ("facebook:2", "facebook", "page", 6_500),
    ("facebook:3", "facebook", "group", 2_200),
    ("twitter:4", "twitter", "account", None),
    ("twitter:5", "twitter", "account", 12),
)


def adverts(**changes) -> pl.DataFrame:
    row = dict.fromkeys(ADVERTS) | {"advert_id": "a1", "platform": "facebook", "currency": "USD", "urls": []}
    row |= {"countries": [], "regions": [], "spend_min": 100.0, "spend_max": 199.0, **changes}
    return pl.DataFrame([row], schema=ADVERTS)


def sentences(section) -> list[str]:
    return [claim.text for claim in section.claims]


def test_kinds_are_counted_and_followers_stand_between_their_bounds():
    members = pl.DataFrame({"account_id": ["facebook:1", "facebook:2", "facebook:3", "twitter:4"]})
    section = describe_presence(NETWORK, members=members)
    assert sentences(section) == [
        (
            "Presence of the 4 accounts, pages and groups of the network: 2 pages and 1 group on Facebook; 1 account "
            "on Twitter."
        ),
        "About 9,000 to 15,500 accounts followed one or more of these 2 pages on Facebook.",
        "About 2,200 accounts joined this group on Facebook.",
        "How many accounts followed the 1 account on Twitter is not in the data.",
    ]
    assert [claim.denominator for claim in section.claims[1:3]] == [
        "2 of 2 pages of the network with a known number",
        "1 of 1 group of the network with a known number",
    ]
    assert "no export of an advert library was given" in section.prose[-1]


def test_without_a_network_the_whole_release_is_described_and_says_so():
    section = describe_presence(NETWORK, members=NETWORK.clear())
    assert section.claims[0].text.startswith("Presence of the 5 accounts, pages and groups listed in the release")
    assert "About 12 accounts followed this account on Twitter." in sentences(section)
    assert "describes all 5 accounts listed" in section.prose[0]


def test_without_accounts_it_says_why_it_is_empty():
    assert "lists no accounts" in describe_presence(empty_table("accounts")).empty_reason


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "100 to 199 USD"),
        ({"spend_max": 100.0}, "100 USD"),
        ({"spend_max": None}, "100 USD or more"),
        ({"currency": None}, "100 to 199 an unnamed currency"),
    ],
)
def test_spending_is_a_range_in_its_own_currency(changes, said):
    started = pl.Series(["2031-05-03"]).str.to_datetime(time_zone="UTC", time_unit="us")[0]
    own = adverts(started_at=started, **changes).with_columns(account_id=pl.lit("facebook:1"))
    section = describe_presence(NETWORK, own_adverts=own, n_adverts_read=3)
    assert (
        f"Around {said} in spending for 1 advert, placed by 1 account listed in the release" in sentences(section)[-1]
    )


def test_no_advert_of_theirs_is_said_with_how_many_were_looked_through():
    section = describe_presence(
        NETWORK, own_adverts=adverts().clear().with_columns(account_id=pl.lit("")), n_adverts_read=9
    )
    assert sentences(section)[-1] == (
        "None of the 9 adverts looked through was placed by an account listed in the release."
    )


def test_what_others_published_is_quoted_as_theirs():
    quote = Quote("presence", "The platform", "2031-05-04", "About 15,500 accounts followed these Pages")
    claim = describe_presence(NETWORK, quoted=[quote, Quote("origin", "X", "2031-01-01", "y")]).claims[-1]
    assert claim.text == "The platform wrote on 4 May 2031: “About 15,500 accounts followed these Pages”"
    assert claim.evidence[0].publisher == "The platform"


def test_own_adverts_are_found_by_id_or_handle_and_shown_by_pseudonym():
    loaded = accounts(("facebook:1", "facebook", "page", 1), ("twitter:4", "twitter", "account", 1))
    loaded = loaded.with_columns(handle=pl.Series([None, "@Ferry_Fan"]))
    shown = loaded.with_columns(account_id=pl.Series(["facebook:hidden", "twitter:secret"]))
    library = pl.concat(
        [
            adverts(advert_id="by id", advertiser_id="1"),
            adverts(advert_id="by handle", platform="twitter", handle="ferry_fan"),
            adverts(advert_id="other platform", platform="google", advertiser_id="1"),
            adverts(advert_id="nobody", advertiser_id="77"),
        ]
    )
    found = find_own_adverts(library, loaded, shown=shown)
    assert found.select("advert_id", "account_id").rows() == [
        ("by id", "facebook:hidden"),
        ("by handle", "twitter:secret"),
    ]
    with pytest.raises(ParameterError, match="expected the same accounts"):
        find_own_adverts(library, loaded, shown=shown.head(1))


def test_one_kind_on_one_platform_is_said_without_counting_it_twice():
    accounts_of_one = accounts(*(("twitter:4", "twitter", "account", 12), ("twitter:5", "twitter", "account", 40)))
    assert describe_presence(accounts_of_one).claims[0].text == (
        "The 2 accounts listed in the release are all on Twitter."
    )
