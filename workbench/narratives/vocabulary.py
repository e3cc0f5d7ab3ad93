"""Texts as weighted terms: words where a script writes them apart, characters and their pairs where not."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
)
"""Scripts written without spaces: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""
_RUNS = re.compile(
    rf"(?P<unspaced>[{_UNSPACED}]+)"
    rf"|(?P<tag>#[^\W{_UNSPACED}]+)"
    rf"|(?P<word>[^\W_{_UNSPACED}](?:[\w+#'’.]*[\w+#])?(?<![{_UNSPACED}]))"
    r"|(?P<sign>[\U0001f000-\U0001faff\u2600-\u27bf])"
)
_RUN_OF_WORD = re.compile(rf"[^{_UNSPACED}]+|[{_UNSPACED}]+")
_STARTS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_PIECE_CHARS = 4
_PIECE_WEIGHT = 0.5
_MAX_PIECE_FRAC = 0.1
_FEW_TEXTS = 50
_MAX_TERMS = 200_000


def split_words(text: str) -> list[str]:
    """Return a text's words, hashtags and emoji; of unspaced scripts every character and every pair of neighbours."""
    return list_words(split_runs(text))


def split_pieces(text: str) -> list[str]:
    """Return what inflected forms of a word share: runs of four characters; of unspaced scripts pairs of neighbours."""
    return list_pieces(split_runs(text))


def list_words(runs: list[tuple[str, str]]) -> list[str]:
    """Return the same as `split_words` of a text that is split into runs already."""
    words: list[str] = []
    for kind, run in runs:
        words += [*run, *_pairs(run)] if kind == "unspaced" else [run]
    return words


def list_pieces(runs: list[tuple[str, str]]) -> list[str]:
    """Return the same as `split_pieces` of a text that is split into runs already."""
    pieces: list[str] = []
    for kind, run in runs:
        if kind == "unspaced":
            pieces += _pairs(run)
        elif kind in ("word", "tag"):
            edged = f" {run.lstrip('#')} "
            pieces += [edged[start : start + _PIECE_CHARS] for start in range(max(1, len(edged) - _PIECE_CHARS + 1))]
    return pieces


def split_runs(text: str) -> list[tuple[str, str]]:
    """Return a text's runs with their kind: unspaced, tag, word or sign (emoji)."""
    runs = []
    for match in _RUNS.finditer(text):
        kind = str(match.lastgroup)
        if (
            kind == "word" and not match[0].isascii()
        ):  # \w inside a word may have run into an unspaced script: "iphone手机"
            runs += [
                ("unspaced" if _STARTS_UNSPACED.match(part) else kind, part) for part in _RUN_OF_WORD.findall(match[0])
            ]
        else:
            runs.append((kind, match[0]))
    return runs


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


@dataclass(frozen=True)
class Vocabulary:
    """Terms learnt from some texts, and their weights; further texts can be written in the same terms."""

    counter: CountVectorizer
    weight: np.ndarray
    kept: np.ndarray

    @property
    def terms(self) -> np.ndarray:
        """The terms, in the order of the columns."""
        return self.counter.get_feature_names_out()[self.kept]

    def weigh(self, texts: Sequence[str]) -> sp.csr_matrix:
        """Return one row per text: (1 + log count) times the inverse document frequency, not normalised."""
        return self._weigh(self.counter.transform(texts)) if self.kept.size else _no_terms(len(texts))

    def _weigh(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        chosen = counts.tocsr()[:, self.kept].astype(np.float32)
        chosen.data = 1 + np.log(chosen.data)
        return (chosen @ sp.diags_array(self.weight.astype(np.float32))).tocsr()


def learn_vocabulary(
    texts: Sequence[str], split: Callable[[str], list[str]], *, max_frac: float = 1.0
) -> tuple[Vocabulary, sp.csr_matrix]:
    """Return the terms that at least two texts share, and the texts written in them.

    No list of stop words is used: there is none for most languages. Terms in more than `max_frac` of the
    texts are left out; the rest is weighed by smoothed inverse document frequency.
    """
    counter = CountVectorizer(analyzer=split, dtype=np.int32)
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # scikit-learn's way to say that no text has any term
        return Vocabulary(counter, np.empty(0), np.empty(0, np.int64)), _no_terms(len(texts))
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero((df >= 2) & (df <= max_frac * len(texts)))
    if kept.size > _MAX_TERMS:
        kept = np.sort(kept[np.argsort(-df[kept], kind="stable")[:_MAX_TERMS]])
    weight = np.log((1 + len(texts)) / (1 + df[kept])) + 1
    vocabulary = Vocabulary(counter, weight, kept)
    return vocabulary, vocabulary._weigh(counts)


def describe_texts(texts: Sequence[str]) -> tuple[Vocabulary, sp.csr_matrix, sp.csr_matrix]:
    """Return the word vocabulary, the texts in words, and the texts in words and pieces side by side."""
    vocabulary, words = learn_vocabulary(texts, split_words)
    max_frac = _MAX_PIECE_FRAC if len(texts) >= _FEW_TEXTS else 1.0
    _, pieces = learn_vocabulary(texts, split_pieces, max_frac=max_frac)
    both = sp.hstack([words, _PIECE_WEIGHT * pieces], format="csr", dtype=np.float32)
    return vocabulary, words, both


def unit_rows(matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return the rows scaled to length one; empty rows stay empty."""
    return normalize(matrix, copy=True) if all(matrix.shape) else matrix


def _no_terms(n_rows: int) -> sp.csr_matrix:
    return sp.csr_matrix((n_rows, 0), dtype=np.float32)
