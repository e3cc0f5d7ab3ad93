"""The takedown workbench: find, weigh and publish coordinated influence operations.

`CONTENTS` is the contents page: the public names by stage, in running order, with the room each lives in. A name is
imported when it is first used, so that a short command does not wait for what it does not need.
"""

from importlib import import_module
from typing import Any

CONTENTS: dict[str, dict[str, str]] = {
    "load": {
        "open_case": "case",
        "find_dataset": "case",
        "load_release": "sources",
        "simulate_release": "simulate",
        "read_key": "privacy",
        "protect_release": "privacy",
        "check_published": "published",
        "reconcile": "published",
    },
    "act": {"extract_actions": "actions", "list_traces": "actions"},
    "co-act": {
        "predict_cost": "cost",
        "drop_hubs": "cost",
        "count_co_actions": "coaction",
        "iterate_co_actions": "coaction",
        "describe_edges": "evidence",
        "co_action_evidence": "evidence",
        "rank_objects": "evidence",
    },
    "judge": {
        "score_edges": "chance",
        "count_chance_weights": "chance",
        "find_coordinated_clusters": "coordinated",
        "list_clusters": "coordinated",
        "weigh_accounts": "coordinated",
        "compare_settings": "sensitivity",
        "project_similarity": "similarity",
        "find_backbone": "similarity",
    },
    "group": {
        "build_network": "network",
        "prune_network": "network",
        "connect_members": "network",
        "network_edges": "network",
        "place_accounts": "network",
        "write_network": "network",
        "find_clusters": "clusters",
        "compare_resolutions": "clusters",
        "expand_from": "clusters",
        "profile_accounts": "profiles",
        "list_features": "features",
        "list_features": "features",
        "only_clustered": "profiles",
        "count_languages": "profiles",
        "find_creation_bursts": "creation",
        "count_created": "creation",
        "count_week_hours": "hours",
        "fit_working_hours": "hours",
        "choose_clock": "hours",
    },
    "read": {
        "find_narratives": "narratives",
        "find_similar_posts": "narratives",
        "find_similar_narratives": "narratives",
        "find_phases": "narratives",
        "list_campaigns": "narratives",
        "count_narratives_over_time": "narratives",
        "read_narrative_labels": "narratives",
        "apply_narrative_labels": "narratives",
        "write_narrative_labels": "narratives",
        "join_narratives": "narratives",
        "load_multilingual_encoder": "narratives",
        "describe_narratives": "sections.narratives",
    },
    "screen": {
        "read_screening_lists": "state_media",
        "read_facts": "state_media",
        "read_outlets": "state_media",
        "read_outlet_list": "state_media",
        "read_state_media_matrix": "state_media",
        "merge_facts": "state_media",
        "merge_outlets": "state_media",
        "name_version": "state_media",
        "read_policies": "state_media",
        "screen_outlets": "state_media",
        "defend_screening": "state_media",
        "count_link_kinds": "state_media",
        "find_outlet_accounts": "state_media",
        "hide_handles": "state_media",
        "find_references": "state_media",
        "measure_amplification": "state_media",
        "count_references_by_day": "state_media",
        "compare_first": "state_media",
        "read_adverts": "state_media",
        "match_adverts": "state_media",
        "judge_adverts": "state_media",
        "summarise_adverts": "state_media",
        "chart_determinations": "chart_state_media",
        "chart_references_per_day": "chart_state_media",
        "describe_state_media": "sections",
    },
    "share": {
        "collect_evidence": "sharing",
        "write_package": "sharing",
        "read_package": "sharing",
        "read_indicators": "sharing",
        "summarise_indicators": "sharing",
        "write_meta_sheet": "sharing",
        "match_indicators": "sharing",
        "hide_accounts": "sharing",
        "write_hit_report": "sharing",
        "share_case": "handover",
        "match_case": "handover",
        "load_second": "platforms",
        "combine_releases": "platforms",
        "list_bridges": "platforms",
        "summarise_bridges": "platforms",
        "chart_verdicts": "chart_sharing",
        "chart_bridge": "chart_sharing",
        "describe_indicators": "sections",
    },
    "publish": {
        "describe_release": "sections",
        "describe_accounts": "sections",
        "describe_coordination": "sections",
        "describe_clusters": "sections",
        "describe_limits": "sections",
        "describe_method": "sections",
        "say_period": "sections.base",
        "enable_charts": "chart_display",
        "show_figure": "notebook_display",
        "show_claims": "notebook_display",
        "Findings": "findings",
        "Section": "findings",
        "render_report": "report",
        "lint_report": "lint",
        "write_catalogue": "catalogue",
    },
    "measure": {
        "evaluate_clusters": "evaluate",
        "cut_by_weight": "evaluate",
        "cut_by_similarity": "evaluate",
        "evaluate_narratives": "narratives",
    },
    "contract": {
        "TABLES": "schema",
        "Release": "schema",
        "About": "schema",
        "check_table": "schema",
        "WorkbenchError": "schema",
        "SchemaError": "schema",
        "SourceError": "schema",
        "ParameterError": "schema",
    },
}

_ROOMS = {name: room for names in CONTENTS.values() for name, room in names.items()}
__all__ = ["CONTENTS", *_ROOMS]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'workbench' has no attribute '{name}'")
    return getattr(import_module(f"workbench.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
