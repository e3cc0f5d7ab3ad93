import pytest

from workbench.lint import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Around $xx in spending for ads, paid for mostly in xx.", ["$xx", "xx"]),
        ("See the list (TBD).", ["TBD"]),
        ("TODO: count. Lorem ipsum dolor, lorem ipsum.", ["TODO", "Lorem ipsum", "lorem ipsum"]),
        ("Written by [insert name] in 2031, [to be checked].", ["[insert name]", "[to be checked]"]),
        (
            "About €xx went to ferry posters, mostly in XX (TBA; to be confirmed).",
            ["€xx", "XX", "TBA", "to be confirmed"],
        ),
        ("Seen ??? times, tbd.", ["???", "tbd"]),
        ("Todo el puerto; [sources] and [named] in brackets.", []),
        ("About N accounts followed one page; the maxx level is off.", []),
        ("hxxps://a[.]example/xx/1", []),
    ],
)
def test_placeholders_are_found(text, found):
    assert words.find_placeholders(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We removed 15 acounts.", ["15 acounts"]),
        ("We removed 1 accounts and 3 account.", ["1 accounts", "3 account"]),
        ("1,204 post were seen on 2 day.", ["1,204 post", "2 day"]),
        ("We removed 15 accounts, 1 page and 0 groups.", []),
        ("The 744 account rows of 2 account files.", []),
        ("On 30 March 2031 page 3 was read.", []),
        ("$1 accounts for little.", []),
        ("They ran 12 Facebook acounts and 1 new accounts.", ["12 Facebook acounts", "1 new accounts"]),
        ("One accounts posted; 40 folowers, 3 indicaters.", ["One accounts", "40 folowers", "3 indicaters"]),
        ("3 Instagram account were removed.", ["3 Instagram account"]),
        ("1 account were removed. 12 pages was removed.", ["1 account were", "12 pages was"]),
        ("One of 12 accounts was new; one account was old. 12 accounts were idle.", []),
        ("7 persons read 9 profiles; 3 projects, 5 recounts.", []),
    ],
)
def test_numbers_and_their_nouns_agree(text, found):
    assert words.find_miscounts(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("81 of 940 accounts (8.6%) posted.", []),
        ("81 of 940 accounts (9.6%) posted.", ["81 of 940 accounts (9.6%)"]),
        ("1,204 of 3,612 posts in two languages (33%).", []),
        ("5 out of 0 posts (1%).", ["5 out of 0 posts (1%)"]),
    ],
)
def test_shares_follow_from_their_numbers(text, found):
    assert words.find_wrong_shares(text) == found


@pytest.mark.parametrize(
    ("sentence", "has_whole"),
    [
        ("Reach grew to 40%.", False),
        ("Reach grew to 40 per cent.", False),
        ("Reach grew by 12.5%, in spite of the storm.", False),
        ("40% were new because of the ferry.", False),
        ("Of 12 posts one was long; reach grew to 40%.", False),
        ("In 12% of posts it was named.", True),
        ("81 of 940 accounts (8.6%) posted.", True),
        ("One in ten, or 10% out of 300 accounts, was new.", True),
        ("At most 5% per day.", True),
        ("The false discovery rate is 5%.", True),
        ("The list has 40 rows.", True),
    ],
)
def test_percentages_say_what_they_are_of(sentence, has_whole):
    assert words.find_shares_without_whole(f"It began. {sentence}") == ([] if has_whole else [sentence])


def test_likelihood_and_confidence_are_kept_apart():
    mixed = "We assess with high confidence that one team is likely."
    assert words.find_mixed_likelihood(f"{mixed} Our confidence is low. It is likely.") == [mixed]


@pytest.mark.parametrize("likely", ["almost certain", "very unlikely", "probably one team", "roughly even"])
@pytest.mark.parametrize("sure", ["with moderate confidence", "with low-to-moderate confidence", "we are confident"])
def test_each_pair_of_words_for_likelihood_and_confidence_is_seen(likely, sure):
    assert words.find_mixed_likelihood(f"It is {likely}, {sure}.")
    assert not words.find_mixed_likelihood(f"It is {likely}. We say so {sure}.")


@pytest.mark.parametrize(
    ("sentence", "is_loose"),
    [
        ("The network was run by a ministry.", True),
        ("These accounts are fake accounts.", True),
        ("A state-backed network posted about ferries.", True),
        ("The network, which posted no images, was run by a ministry.", True),
        ("It had no pictures; it was a state-backed network.", True),
        ("They acted on behalf of a party.", True),
        ("The accounts were bots.", True),
        ("The posts originated in Harbour City.", True),
        ("According to the platform, the network was run by a ministry.", False),
        ("The network was run by a ministry, the platform said.", False),
        ("The network was not, as far as we see, run by anybody.", True),
        ("None of this, nor all of it together, shows that an account is inauthentic.", False),
        ("We cannot say who is behind this network.", False),
        ("We do not know whether it was run by a ministry.", False),
        ("The platform called it “a state-backed operation”.", False),
        ("Information operations about Harbour City, 2031.", False),
        ("These accounts acted together.", False),
    ],
)
def test_attribution_is_somebodys_or_hedged(sentence, is_loose):
    assert bool(words.find_loose_attribution(sentence)) is is_loose


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://ferry.example/a.", ["https://ferry.example/a."]),
        ("ferry.example", ["ferry.example"]),
        ("hxxps://ferry[.]example/a", []),
        ("https://ferry[.]example/a", []),
        ("0.9.11.0 Creating online petitions", []),
        ("tweets.csv", []),
        ("hxxps://ferry[.]example/2031/bbc.html; see b", []),
    ],
)
def test_addresses_are_defanged(text, found):
    assert words.find_bare_addresses(text) == found


def test_domains_in_prose_may_be_names():
    assert words.find_bare_addresses("ferry.example", only_links=True) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("About 2,220 accounts joined.", ["2,220, where the table has 2,200"]),
        ("About 2,200 accounts joined.", []),
        ("About 5,200 accounts joined within 600 seconds.", []),
        ("The table has 301 rows, 3,010 in all.", []),
        ("They made 1,032 posts.", ["1,032, where the table has 1,302"]),
    ],
)
def test_numbers_in_prose_are_those_of_their_table(text, found):
    rows = [{"n": 2200}, {"n": 810}, {"n": 0}]
    if "rows" in text:
        rows = [{"n": 10}] * 301
    if "posts" in text:
        rows = [{"n": 1302}]
    assert words.find_wrong_numbers(text, rows) == found


def test_a_claims_own_denominator_is_no_slip_of_a_number_in_the_table():
    rows = [{"n": 892}, {"n": 10}]
    assert words.find_wrong_numbers("8,611 of 8,992 posts.", rows) == ["8,992, where the table has 892"]
    assert words.find_wrong_numbers("8,611 of 8,992 posts.", rows, whole="8,992 posts that are no reposts") == []


def test_a_number_may_be_the_sum_of_the_rows_that_share_a_word_but_lends_itself_to_no_slip():
    rows = [{"who": "outside", "n": 500}, {"who": "outside", "n": 207}, {"who": "inside", "n": 770}]
    assert words.find_wrong_numbers("707 came from outside.", rows) == []
    assert words.find_wrong_numbers("There were 77 of them, and 770.", rows) == []
    assert words.find_wrong_numbers("There were 717 of them.", rows) == []  # near 707, which no cell has
    assert words.find_wrong_numbers("There were 270 of them.", rows) == ["270, where the table has 207"]


def test_several_near_numbers_are_named_in_the_same_order_in_every_run():
    rows = [{"n": n} for n in (2200, 2002, 2022, 2202, 2220, 202, 220)]
    found = words.find_wrong_numbers("In 2020 it began.", rows)
    assert len(found) >= 4
    assert found == sorted(found, key=lambda said: said.replace(",", "").rsplit(" ", 1)[-1])
