"""How to read each table of the evaluation page."""

NOTES = {
    "controls": (
        "Side by side, the same worlds by every method. In the last two, some accounts act alike for an open "
        "reason; the other worlds have no such accounts, and whoever is reported there is a false accusation. "
        "Customary defaults: edges heavier than the median weight; the top 0.5 % of pairs by TF-IDF cosine."
    ),
    "equal": (
        "A method that reports more accounts finds more and errs more. So both customary methods reach as many "
        "accounts as the cluster test found in the same world, by their heaviest or most similar pairs: their "
        "line is chosen for them. The difference is taken world by world, against the better of the two in each. "
        "Alternating halves count as one group here: the truth is who was planted."
    ),
    "left out": (
        "Whoever meets a new kind of campaign has a line from the old ones. The customary line is the one that "
        "was best on all kinds but the one held out; hindsight shows what the best line would have given. The "
        "cluster test keeps its stated 5 % everywhere."
    ),
    "sizes": "Several numbers: several groups at once. Few worlds each, so wide intervals.",
    "edges": (
        "By number of edges kept, mean over worlds and its interval: above 0 the estimate is cautious, below 0 it "
        "flatters. Hours kept is the shuffle of score_edges, which deals an action the more readily to an account, the "
        "better its hour fits the account's own; plain deals at random. They differ only where accounts keep hours "
        "(time_zones, by_day, among_sleepers: the last has a planted group among such accounts). Where nothing is "
        "planted every edge is false and no estimate exceeds 1, so that a mean can only be 0 or below."
    ),
    "clocks": (
        "Small worlds (800 accounts, groups of 20). Unrelated accounts that keep a clock (schedulers, pollers, alerts, "
        "days and nights), planted groups on such clocks, and organic worlds, at one window or several at once. Set "
        "apart: accounts in groups that a clock explains, which are never called coordinated. F1 only where something "
        "is planted. Met when the thing was new: share of the things a reported group met on where it did so within "
        "the window of the first action; nearly all for strangers who answer alerts, few for planted groups, so that a "
        "low share rules alerts out."
    ),
    "silence": (
        "Small worlds (800 accounts) where nothing is planted, tested at windows of 10 s, 1 min, 10 min and 1 h at "
        "once; in one trace, and with posts that stand in up to three traces. Whoever is reported is reported wrongly."
    ),
    "p_values": (
        "Candidate groups found on one half and weighed on the other by the shuffle within objects. An honest p-value "
        "is at or below 0.05 in one case of twenty, and so on; also where one post stands in up to three traces."
    ),
    "roles": (
        "Same text within ten minutes. All are trolls, so precision in the usual sense says nothing; the question "
        "is whether clusters follow the roles that researchers gave the accounts. Weighted precision must be read "
        "against what one big cluster would give, and beside coverage. No row of the data is shown."
    ),
}
