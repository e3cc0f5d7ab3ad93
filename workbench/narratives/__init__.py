"""What the posts said: narratives without a number given, across scripts and languages, tied to who pushed them."""

from workbench.narratives.agreement import evaluate_narratives
from workbench.narratives.bridge import MissingExtraError, load_multilingual_encoder
from workbench.narratives.find import Narratives, find_narratives
from workbench.narratives.human_labels import apply_narrative_labels, read_narrative_labels, write_narrative_labels
from workbench.narratives.lookup import PostIndex, find_similar_narratives, find_similar_posts, index_posts
from workbench.narratives.phases import find_phases, list_campaigns
from workbench.narratives.timeline import count_narratives_over_time, join_narratives

__all__ = [
    "MissingExtraError",
    "Narratives",
    "PostIndex",
    "apply_narrative_labels",
    "count_narratives_over_time",
    "evaluate_narratives",
    "find_narratives",
    "find_phases",
    "find_similar_narratives",
    "find_similar_posts",
    "index_posts",
    "join_narratives",
    "list_campaigns",
    "load_multilingual_encoder",
    "read_narrative_labels",
    "write_narrative_labels",
]
