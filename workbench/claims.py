"""The honesty ladder: a claim carries its evidence, and cannot be made above what that evidence supports.

Four rungs: *co-action* (observed) < *coordination* (beyond chance) < *inauthentic* (deception shown by named evidence)
< *attributed* (somebody else's published finding, quoted and cited). A claim also says how confident we are and why,
and what its numbers are a part of. How likely something is and how confident we are are two statements, never one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from workbench.schema import WorkbenchError

Level = Literal["co-action", "coordination", "inauthentic", "attributed"]
ConfidenceLevel = Literal["low", "moderate", "high"]
LEVELS: tuple[str, ...] = get_args(Level)
CONFIDENCE_LEVELS: tuple[str, ...] = get_args(ConfidenceLevel)


class ClaimError(WorkbenchError):
    """A claim says more than its evidence supports, or says it in words that mislead."""


LIKELIHOOD_BANDS: dict[str, tuple[float, float]] = {
    "almost no chance": (0.01, 0.05),
    "very unlikely": (0.05, 0.20),
    "unlikely": (0.20, 0.45),
    "roughly even": (0.45, 0.55),
    "likely": (0.55, 0.80),
    "very likely": (0.80, 0.95),
    "almost certain": (0.95, 0.99),
}
"""Estimative words and the probabilities they stand for. Source: ICD 203, US Director of National Intelligence."""

_LIKELIHOOD = re.compile(
    r"\b(almost no chance|very unlikely|unlikely|roughly even|very likely|likely|almost certain)\b"
)
_LOOSE_LIKELIHOOD = re.compile(
    r"\b(probabl[ey]|improbable|possibly|perhaps|maybe|presumably|certainly|definitely|undoubtedly|surely|"
    r"proves?|proven|without (?:a )?doubt|highly likely|most likely|almost certainly)\b"
)
_CONFIDENCE = re.compile(r"\bconfiden(?:ce|t)\b")

_WORDS: dict[str, re.Pattern[str]] = {
    "coordination": re.compile(
        r"\b(coordinat\w*|in concert|orchestrat\w*|beyond chance|act(?:ed|ing|s)? together|collu\w*)\b", re.IGNORECASE
    ),
    "inauthentic": re.compile(
        r"\b(inauthentic\w*|fake (?:accounts?|pages?|profiles?|personas?)|sock[- ]?puppets?|bots?|troll(?:s|ing)?|"
        r"troll (?:farms?|factor(?:y|ies))|decei\w+|decepti\w+|disinformation|astroturf\w*|"
        r"(?:influence|information) operations?)\b",
        re.IGNORECASE,
    ),
    "attributed": re.compile(
        r"\b((?:state|government|foreign|military|party)[- ](?:backed|sponsored|linked|run|directed|funded)|"
        r"(?:run|directed|operated|orchestrated|paid|hired|commissioned|controlled) by|on behalf of|"
        r"attribut(?:ed|able) to|originat\w+ (?:in|from)|linked to|links to individuals|"
        r"behind (?:the|this|these) (?:accounts?|network|operation|campaign)|(?:agents?|proxies) of)\b",
        re.IGNORECASE,
    ),
}
_QUOTED = re.compile("“[^”]*”")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Observation:
    """Something counted or read in the data, and the table or figure of the report that shows it."""

    statement: str
    shown_in: str = ""


@dataclass(frozen=True)
class ChanceTest:
    """A named test of how often chance alone would give as much, with what it was run with."""

    name: str
    statement: str
    n_shuffles: int | None = None
    p_value: float | None = None
    fdr: float | None = None


@dataclass(frozen=True)
class Deception:
    """Named evidence that something pretended to be what it was not: what, shown how, checked where."""

    name: str
    statement: str
    source: str


@dataclass(frozen=True)
class Citation:
    """A finding somebody else published: who, when (an ISO date), and in which words."""

    publisher: str
    published_on: str
    quote: str
    title: str = ""
    url: str = ""


Evidence = Observation | ChanceTest | Deception | Citation

_NEEDED: dict[str, type] = {"coordination": ChanceTest, "inauthentic": Deception, "attributed": Citation}
_MAY_BE_EMPTY = {"shown_in", "title", "url"}


@dataclass(frozen=True)
class Confidence:
    """How far our sources and reasoning can be relied on, and why: not how likely the thing is."""

    level: ConfidenceLevel
    basis: str

    def __post_init__(self) -> None:
        if self.level not in CONFIDENCE_LEVELS:
            raise ClaimError(f"Confidence is one of {', '.join(CONFIDENCE_LEVELS)}; found '{self.level}'. Choose one.")
        if not self.basis.strip():
            raise ClaimError(
                "Confidence needs its basis in words (sources, assumptions, argument); found none. Add it."
            )


@dataclass(frozen=True)
class Claim:
    """One finding in words, no higher on the ladder than its evidence reaches.

    Args:
        text: one or more whole sentences. Words inside “curly quotes” are taken as somebody else's.
        level: the rung the text stands on.
        confidence: how far it can be relied on, with the basis.
        evidence: at least one piece; a rung above co-action needs its own kind (chance test, deception, citation).
        denominator: what the numbers are a part of, as "940 accounts listed in the release".
        likelihood: the band of `LIKELIHOOD_BANDS` the text uses, where it says how likely something is.
        is_headline: true where the claim belongs among the three to five sentences at the top of the report.
        is_absence: true where the claim says that nothing was found; it does not raise how far a report goes.
    """

    text: str
    level: Level
    confidence: Confidence
    evidence: Sequence[Evidence]
    denominator: str
    likelihood: str | None = None
    is_headline: bool = False
    is_absence: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", tuple(self.evidence))
        if self.level not in LEVELS:
            raise ClaimError(f"A claim's level is one of {', '.join(LEVELS)}; found '{self.level}'. Choose one.")
        if not self.text.strip().endswith((".", "!", "?", "”")):
            raise ClaimError(
                f"A claim is one or more whole sentences; found '{_short(self.text)}'. End it with a stop."
            )
        if not self.denominator.strip():
            raise ClaimError(f"'{_short(self.text)}' needs a denominator: say what its numbers are a part of.")
        _check_evidence(self)
        check_words(self.text, level=self.level)
        check_likelihood(self.text, likelihood=self.likelihood)


def check_words(text: str, *, level: str) -> None:
    """Refuse words that stand higher on the ladder than `level`, outside quotation marks.

    Raises:
        ClaimError: the text says more than its level.
    """
    bare = _QUOTED.sub("“”", text)
    for higher in LEVELS[LEVELS.index(level) + 1 :]:
        found = _WORDS[higher].search(bare)
        if found:
            raise ClaimError(
                f"'{found.group(0)}' says {higher}, above this claim's level ({level}), in '{_short(text)}'. "
                f"Use plainer words, or make it a claim of level {higher} with its evidence "
                f"({_NEEDED[higher].__name__})."
            )


def check_likelihood(text: str, *, likelihood: str | None = None) -> None:
    """Refuse likelihood words outside the ICD 203 bands, undeclared ones, and confidence in the same sentence.

    Raises:
        ClaimError: a loose word, a band other than the one declared, or likelihood mixed with confidence.
    """
    if likelihood is not None and likelihood not in LIKELIHOOD_BANDS:
        raise ClaimError(f"Likelihood is one of {', '.join(LIKELIHOOD_BANDS)}; found '{likelihood}'. Choose one.")
    for sentence in split_sentences(_QUOTED.sub("“”", text).lower()):
        loose = _LOOSE_LIKELIHOOD.search(sentence)
        if loose:
            raise ClaimError(
                f"'{loose.group(0)}' stands for no stated probability, in '{_short(text)}'. "
                f"Use one of {', '.join(LIKELIHOOD_BANDS)}, or say only what was seen."
            )
        bands = _LIKELIHOOD.findall(sentence)
        if bands and _CONFIDENCE.search(sentence):
            raise ClaimError(f"'{_short(text)}' mixes likelihood and confidence in one sentence. Split it in two.")
        undeclared = [band for band in bands if band != likelihood]
        if undeclared:
            raise ClaimError(
                f"'{undeclared[0]}' in '{_short(text)}' is not the likelihood declared ({likelihood or 'none'}). "
                f'Pass likelihood="{undeclared[0]}" if its probability is what you mean.'
            )


def name_likelihood(probability_frac: float) -> str:
    """Return the ICD 203 word for a probability between 0.01 and 0.99.

    Source: ICD 203, Analytic Standards. Differs: a value on a boundary takes the less certain word.
    """
    if not 0.01 <= probability_frac <= 0.99:
        raise ClaimError(f"ICD 203 has words for 0.01 to 0.99; found {probability_frac}. State the number itself.")
    by_doubt = sorted(LIKELIHOOD_BANDS.items(), key=lambda item: abs(sum(item[1]) / 2 - 0.5))
    return next(word for word, (low, high) in by_doubt if low <= probability_frac <= high)


def split_sentences(text: str) -> list[str]:
    """Return the text's sentences, split after full stop, exclamation or question mark and white space."""
    return [sentence for sentence in _SENTENCE_END.split(text.strip()) if sentence]


def find_words_above(text: str, *, level: str) -> list[str]:
    """Return the words of a text that stand above a level, outside quotation marks, in order of the ladder."""
    bare = _QUOTED.sub("“”", text)
    return [match.group(0) for higher in LEVELS[LEVELS.index(level) + 1 :] for match in _WORDS[higher].finditer(bare)]


def _check_evidence(claim: Claim) -> None:
    for piece in claim.evidence:
        empty = [name for name, value in vars(piece).items() if value == "" and name not in _MAY_BE_EMPTY]
        if empty:
            kind = type(piece).__name__
            raise ClaimError(f"{kind} needs {' and '.join(empty)}; found nothing there. Fill it in, or drop the claim.")
        if isinstance(piece, Citation):
            _check_date(piece)
    needed = _NEEDED.get(claim.level)
    if needed is not None and not any(isinstance(piece, needed) for piece in claim.evidence):
        raise ClaimError(
            f"A claim of level {claim.level} needs a {needed.__name__} among its evidence; "
            f"'{_short(claim.text)}' has {_kinds(claim.evidence)}. Add it, or lower the claim."
        )
    if not claim.evidence:
        raise ClaimError(f"'{_short(claim.text)}' has no evidence. Add an Observation naming the table that shows it.")
    publishers = [piece.publisher for piece in claim.evidence if isinstance(piece, Citation)]
    if claim.level == "attributed" and not any(name in claim.text for name in publishers):
        raise ClaimError(
            f"An attributed claim says who found it; '{_short(claim.text)}' names none of {', '.join(publishers)}. "
            "Write it as that publisher's finding."
        )


def _check_date(citation: Citation) -> None:
    try:
        date.fromisoformat(citation.published_on)
    except ValueError as error:
        raise ClaimError(
            f"A citation's published_on is an ISO date like 2019-08-19; found '{citation.published_on}'. Mend it."
        ) from error


def _kinds(evidence: Sequence[Evidence]) -> str:
    return ", ".join(sorted({type(piece).__name__ for piece in evidence})) or "none"


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
