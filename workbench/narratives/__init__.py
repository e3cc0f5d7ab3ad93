"""What the posts said: narratives without a number given, across scripts and languages, tied to who pushed them."""

from workbench.narratives.agreement import evaluate_narratives
from workbench.narratives.bridge import MissingExtraError, load_multilingual_encoder
from workbench.narratives.find import Narratives, find_narratives

__all__ = [
    "MissingExtraError",
    "Narratives",
    "evaluate_narratives",
    "find_narratives",
    "load_multilingual_encoder",
]
