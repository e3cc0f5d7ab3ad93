import pytest

from workbench.claims import (
    LIKELIHOOD_BANDS,
    ChanceTest,
    Citation,
    Claim,
    ClaimError,
    Confidence,
    Deception,
    Observation,
    find_words_above,
    name_likelihood,
)

MODERATE = Confidence("moderate", "One dataset, complete as published, read by one team.")
SEEN = Observation("81 posts by 9 accounts on the same 12 links within 60 s.", "edges")
CHANCE = ChanceTest("within-object shuffle", "0 of 20 shuffles gave as many.", n_shuffles=20, p_value=1 / 21)
RESOLD = Deception("resold accounts", "41 accounts posted “test new owner”.", "post texts, table resale_messages")
SAID = Citation("Harbour Platform", "2031-05-04", "a coordinated, state-backed operation", url="https://example.org/a")


def claim(text, level="co-action", *evidence, confidence=MODERATE, denominator="400 accounts listed", **others):
    return Claim(text, level, confidence, evidence or (SEEN,), denominator, **others)


def test_each_rung_can_be_reached_with_its_own_evidence():
    claim("Nine accounts posted the same links within a minute.")
    claim("Nine accounts acted together beyond chance.", "coordination", SEEN, CHANCE)
    claim("Forty-one accounts were inauthentic: they had been resold.", "inauthentic", RESOLD)
    claim("Harbour Platform called it “a coordinated, state-backed operation”.", "attributed", SAID)


@pytest.mark.parametrize(
    ("level", "needs", "given"),
    [
        ("coordination", "ChanceTest", (SEEN,)),
        ("inauthentic", "Deception", (SEEN, CHANCE)),
        ("attributed", "Citation", (SEEN, CHANCE, RESOLD)),
    ],
)
def test_no_rung_is_reached_without_its_evidence(level, needs, given):
    with pytest.raises(ClaimError, match=f"level {level} needs a {needs}"):
        claim("Nine accounts did something.", level, *given)


@pytest.mark.parametrize(
    ("text", "level", "says"),
    [
        ("These accounts are coordinated.", "co-action", "coordination"),
        ("Nine accounts acted together 27 times as often.", "co-action", "coordination"),
        ("These accounts are inauthentic.", "coordination", "inauthentic"),
        ("This is the work of sock puppets.", "coordination", "inauthentic"),
        ("They are trolls.", "co-action", "inauthentic"),
        ("A state-backed network posted.", "coordination", "attributed"),
        ("This was an operation run by a ministry.", "inauthentic", "attributed"),
        ("The network originated in Harbour City.", "coordination", "attributed"),
    ],
)
def test_words_above_the_level_are_refused(text, level, says):
    evidence = (SEEN, CHANCE, RESOLD)
    with pytest.raises(ClaimError, match=f"says {says}, above this claim's level"):
        claim(text, level, *evidence)


def test_words_of_others_may_be_quoted():
    claim("The most frequent words were “troll” and “ferry”.")
    assert find_words_above("They wrote “bots”; we saw trolls.", level="coordination") == ["trolls"]


def test_an_attributed_claim_names_who_found_it():
    with pytest.raises(ClaimError, match="names none of Harbour Platform"):
        claim("It was “a coordinated, state-backed operation”.", "attributed", SAID)


@pytest.mark.parametrize("part", ["publisher", "published_on", "quote"])
def test_a_citation_is_complete(part):
    fields = {"publisher": "Harbour Platform", "published_on": "2031-05-04", "quote": "an operation", part: ""}
    with pytest.raises(ClaimError, match=f"Citation needs {part}"):
        claim("Harbour Platform called it “an operation”.", "attributed", Citation(**fields))


def test_a_citation_has_a_date():
    with pytest.raises(ClaimError, match="ISO date"):
        claim("Harbour Platform said so.", "attributed", Citation("Harbour Platform", "last May", "an operation"))


def test_a_claim_needs_evidence_denominator_and_a_whole_sentence():
    with pytest.raises(ClaimError, match="has no evidence"):
        Claim("Nine accounts posted.", "co-action", MODERATE, (), "400 accounts")
    with pytest.raises(ClaimError, match="needs a denominator"):
        claim("Nine accounts posted.", denominator=" ")
    with pytest.raises(ClaimError, match="whole sentences"):
        claim("nine accounts")
    with pytest.raises(ClaimError, match="level is one of"):
        claim("Nine accounts posted.", "guilty")


def test_confidence_has_a_level_and_a_basis():
    with pytest.raises(ClaimError, match="found 'certain'"):
        Confidence("certain", "because")
    with pytest.raises(ClaimError, match="needs its basis"):
        Confidence("high", "")


@pytest.mark.parametrize("word", ["probably", "possibly", "certainly", "proven", "highly likely"])
def test_loose_likelihood_words_are_refused(word):
    with pytest.raises(ClaimError, match="no stated probability"):
        claim(f"It is {word} one team.")


def test_likelihood_is_declared_and_apart_from_confidence():
    claim("It is likely that one team wrote these.", likelihood="likely")
    with pytest.raises(ClaimError, match="not the likelihood declared"):
        claim("It is very likely that one team wrote these.", likelihood="likely")
    with pytest.raises(ClaimError, match="mixes likelihood and confidence"):
        claim("We say with moderate confidence that one team is likely.", likelihood="likely")
    with pytest.raises(ClaimError, match="Likelihood is one of"):
        claim("Nine accounts posted.", likelihood="sort of")


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.02, "almost no chance"),
        (0.1, "very unlikely"),
        (0.3, "unlikely"),
        (0.5, "roughly even"),
        (0.55, "roughly even"),
        (0.7, "likely"),
        (0.8, "likely"),
        (0.9, "very likely"),
        (0.97, "almost certain"),
    ],
)
def test_probabilities_have_their_icd_203_word(probability, word):
    assert name_likelihood(probability) == word
    low, high = LIKELIHOOD_BANDS[word]
    assert low <= probability <= high


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certainty_has_no_word(probability):
    with pytest.raises(ClaimError, match="ICD 203"):
        name_likelihood(probability)
