"""Ranked measures by hand and against pytrec_eval, and TREC's files as other tools read them."""

import math

import ir_measures
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from eval.ranking import RANKED, Ranking, ranked_values, trec_qrels, trec_run


def ranking(found: str, **wanted: int) -> Ranking:
    return Ranking(found=tuple(found), wanted=wanted)


def test_measures_by_hand() -> None:
    [values] = ranked_values({"q": ranking("xaybz", a=1, b=1, c=1)}).values()
    gain = 1 / math.log2(3) + 1 / math.log2(5)
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert values == pytest.approx(
        {"Success@1": 0, "Success@3": 1, "Success@5": 1, "R@5": 2 / 3, "RR@10": 1 / 2, "nDCG@10": gain / best}
    )


def test_rank_eleven_is_beyond_the_cutoff() -> None:
    [values] = ranked_values({"q": ranking("bcdefghijka", a=1)}).values()
    assert set(values.values()) == {0}


def test_grades_weigh() -> None:
    [values] = ranked_values({"q": ranking("ab", a=1, b=2)}).values()
    assert values["nDCG@10"] == pytest.approx((1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3)))


def test_what_finds_nothing_scores_zero_and_what_seeks_nothing_is_left_out() -> None:
    values = ranked_values({"nothing": ranking("", a=1), "unanswerable": ranking("ab"), "found": ranking("a", a=1)})
    assert values["nothing"] == dict.fromkeys(RANKED, 0)
    assert set(values["found"].values()) == {1}
    assert "unanswerable" not in values
    assert ranked_values({}) == {}


def test_a_document_found_twice_counts_once() -> None:
    [values] = ranked_values({"q": ranking("aab", a=1, b=1)}).values()
    assert values["nDCG@10"] == 1


RUNS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]),
    st.builds(
        Ranking,
        found=st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, min_size=1, max_size=14).map(tuple),
        wanted=st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(1, 3), min_size=1, max_size=6),
    ),
    min_size=1,
)


@given(RUNS)
def test_ndcg_and_rr_agree_with_pytrec_eval(rankings: dict[str, Ranking]) -> None:
    run = {q: {d: 1000.0 - rank for rank, d in enumerate(r.found[:10])} for q, r in rankings.items()}
    judge = pytrec_eval.RelevanceEvaluator({q: dict(r.wanted) for q, r in rankings.items()}, {"ndcg", "recip_rank"})
    whole = pytrec_eval.RelevanceEvaluator({q: dict(r.wanted) for q, r in rankings.items()}, {"ndcg_cut.10"})
    values = ranked_values(rankings)
    for question, expected in judge.evaluate(run).items():
        assert values[question]["RR@10"] == pytest.approx(expected["recip_rank"], abs=1e-6)
    for question, expected in whole.evaluate(run).items():
        assert values[question]["nDCG@10"] == pytest.approx(expected["ndcg_cut_10"], abs=1e-6)


@given(RUNS)
def test_trec_files_give_the_same_values(
    tmp_path_factory: pytest.TempPathFactory, rankings: dict[str, Ranking]
) -> None:
    folder = tmp_path_factory.mktemp("trec")
    files = {"run": trec_run(rankings, "sanad"), "qrels": trec_qrels(rankings)}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels")))  # type: ignore[no-untyped-call]
    run = list(ir_measures.read_trec_run(str(folder / "run")))  # type: ignore[no-untyped-call]
    values = ranked_values(rankings)
    for each in ir_measures.iter_calc(RANKED.values(), qrels, run):
        assert values[each.query_id][str(each.measure)] == pytest.approx(each.value)


def test_trec_lines() -> None:
    rankings = {"q 1": ranking("ba", a=1)}
    assert trec_run(rankings, "sanad") == "q_1 Q0 b 1 -1 sanad\nq_1 Q0 a 2 -2 sanad\n"
    assert trec_qrels(rankings) == "q_1 0 a 1\n"
