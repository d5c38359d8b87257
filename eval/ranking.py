"""Ranked retrieval: measures by ir-measures (MacAvaney et al. 2022) on pytrec_eval, and TREC's two files.

Success@k, R@k, RR@10 and nDCG@10 as trec_eval defines them; a question for which nothing was found scores 0.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import ir_measures
from ir_measures import RR, R, Success, nDCG

RANKED = {str(measure): measure for measure in (Success @ 1, Success @ 3, Success @ 5, R @ 5, RR @ 10, nDCG @ 10)}
"""The measures by name, in the order of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What was found for one question, best first, and what there was to find: ids with grades of 1 and more."""

    found: tuple[str, ...]
    wanted: Mapping[str, int]


Rankings = Mapping[str, Ranking]
"""By question id."""


def ranked_values(rankings: Rankings) -> dict[str, dict[str, float]]:
    """Question id to measure to value in [0, 1], for the questions for which there was something to find."""
    judged = {identity: ranking for identity, ranking in rankings.items() if ranking.wanted}
    values: dict[str, dict[str, float]] = {identity: dict.fromkeys(RANKED, 0.0) for identity in judged}
    for value in ir_measures.iter_calc(RANKED.values(), _qrels(judged), _run(judged)) if judged else ():
        values[value.query_id][str(value.measure)] = float(value.value)
    return values


def _qrels(rankings: Rankings) -> dict[str, dict[str, int]]:
    return {identity: dict(ranking.wanted) for identity, ranking in rankings.items()}


def _run(rankings: Rankings) -> dict[str, dict[str, float]]:
    # Scores that fall with the rank: trec_eval sorts by them, and breaks ties its own way.
    run: dict[str, dict[str, float]] = defaultdict(dict)
    for identity, ranking in rankings.items():
        for rank, found in enumerate(dict.fromkeys(ranking.found), start=1):
            run[identity][found] = -float(rank)
    return run


def trec_run(rankings: Rankings, name: str) -> str:
    """Lines `question Q0 document rank score name`, as trec_eval reads them; white space in ids becomes `_`."""
    return "".join(
        f"{_word(identity)} Q0 {_word(found)} {rank} {-rank} {name}\n"
        for identity, ranking in rankings.items()
        for rank, found in enumerate(dict.fromkeys(ranking.found), start=1)
    )


def trec_qrels(rankings: Rankings) -> str:
    """Lines `question 0 document grade`."""
    return "".join(
        f"{_word(identity)} 0 {_word(wanted)} {grade}\n"
        for identity, ranking in rankings.items()
        for wanted, grade in ranking.wanted.items()
    )


def _word(identity: str) -> str:
    return "_".join(identity.split())
