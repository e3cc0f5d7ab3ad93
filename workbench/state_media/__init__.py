"""State media: facts about outlets, what each platform's policy says of them, who amplified them, which adverts go.

Facts, never scores: a determination names the facts that decided it and the facts that are missing, and none is made
without evidence. Overt is not covert: an outlet a state runs openly deceives nobody by that, and its sister outlets
posting together are its newsroom.
"""

from workbench.state_media.adverts import list_advert_layouts, read_adverts
from workbench.state_media.amplification import (
    compare_first,
    count_references_by_day,
    measure_amplification,
)
from workbench.state_media.barring import judge_adverts, match_adverts, summarise_adverts
from workbench.state_media.crosswalk import JoinedLists, find_same_outlets, join_outlet_lists, spread_facts
from workbench.state_media.facts import (
    check_facts,
    check_outlets,
    merge_facts,
    merge_outlets,
    name_version,
    read_facts,
    read_outlets,
)
from workbench.state_media.folder import ScreeningLists, read_screening_lists
from workbench.state_media.matrix import read_outlet_list, read_state_media_matrix
from workbench.state_media.own_adverts import find_own_adverts
from workbench.state_media.policies import Policies
from workbench.state_media.policy_files import read_policies
from workbench.state_media.references import find_outlet_accounts, find_references, hide_handles
from workbench.state_media.screening import defend_screening, screen_outlets
from workbench.state_media.sites import count_link_kinds, name_site
from workbench.state_media.weighing import weigh_facts

__all__ = [
    "JoinedLists",
    "Policies",
    "ScreeningLists",
    "check_facts",
    "check_outlets",
    "compare_first",
    "count_link_kinds",
    "count_references_by_day",
    "defend_screening",
    "find_outlet_accounts",
    "find_own_adverts",
    "find_references",
    "find_same_outlets",
    "hide_handles",
    "join_outlet_lists",
    "judge_adverts",
    "list_advert_layouts",
    "match_adverts",
    "measure_amplification",
    "merge_facts",
    "merge_outlets",
    "name_site",
    "name_version",
    "read_adverts",
    "read_facts",
    "read_outlet_list",
    "read_outlets",
    "read_policies",
    "read_screening_lists",
    "read_state_media_matrix",
    "screen_outlets",
    "spread_facts",
    "summarise_adverts",
    "weigh_facts",
]
