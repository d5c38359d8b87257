"""The measures against values computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    Span,
    exact_match,
    holds,
    list_recall,
    normalise_answer,
    overlap,
    relevance,
    relevance_with_passage,
    repeated_sentences,
    tells,
    token_f1,
    wrong_quotes,
)
from rag.datatypes import Article

TEXT = "ضم التحالف 79 دولة. عُقد الاجتماع في روما في حزيران."
ARTICLE = Article(id="a", source="a.txt", title="التحالف", language="ar", text=TEXT)


def span(start: int, end: int, article_id: str = "a") -> Span:
    return Span(article_id=article_id, start=start, end=end)


def citation(
    start: int, end: int, *, quote: str | None = None, answer_span: dict[str, object] | None = None
) -> dict[str, object]:
    said = TEXT[start:end] if quote is None else quote
    return {"article_id": "a", "quote": said, "start": start, "end": end, "answer_span": answer_span}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (span(0, 100), True),  # contains it
        (span(10, 20), True),  # is it
        (span(10, 15), True),  # 5 of 10 characters: half
        (span(10, 14), False),  # 4 of 10
        (span(0, 15), True),  # its first half and what is before
        (span(16, 90), False),  # its last 4 and much else
        (span(20, 30), False),  # begins where it ends
        (span(10, 20, "b"), False),  # the same place in another article
    ],
)
def test_a_span_holds_evidence_when_it_covers_half_of_it(found: Span, expected: bool) -> None:
    assert holds(found, span(10, 20)) is expected


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50))
def test_what_contains_evidence_holds_it(start: int, length: int, before: int, after: int) -> None:
    target = span(start + before, start + before + length)
    assert holds(span(start, start + before + length + after), target)


def test_relevance_is_of_any_evidence_in_rank_order() -> None:
    evidence = [span(10, 20), span(40, 44, "b")]
    assert relevance([span(0, 9), span(38, 50, "b"), span(12, 20)], evidence) == (False, True, True)
    assert relevance([span(0, 9)], []) == (False,)


def test_a_quote_counts_by_its_passage() -> None:
    evidence = [span(10, 20)]
    passages = [span(0, 30), span(30, 60)]
    # Beside the evidence in its passage; in the other passage; in a passage that is not among the hits.
    quotes = [span(21, 30), span(30, 40), span(61, 70)]
    assert relevance(quotes, evidence) == (False, False, False)
    assert relevance_with_passage(quotes, passages, evidence) == (True, False, False)
    # With no passages it is the quote's own relevance.
    assert relevance_with_passage([span(10, 18), span(21, 30)], [], evidence) == (True, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Coalition, in a hurry!", "coalition in hurry"),
        ("التَّحالُف الدولي؟", "تحالف دولي"),
        ("الـ 83 دولة", "83 دوله"),  # the article alone, joined by tatweel, leaves nothing
        ("٨٣ دولةً، «تقريباً»", "83 دوله تقريبا"),
        ("العالم", "عالم"),  # MLQA's own script would give "ع م"
        ("another theory", "another theory"),
        ("10.000", "10000"),
        ("", ""),
        ("؟!…", ""),
    ],
)
def test_answers_are_normalised(text: str, expected: str) -> None:
    assert normalise_answer(text) == expected


@given(st.text())
def test_normalising_leaves_single_spaces(text: str) -> None:
    normalised = normalise_answer(text)
    assert normalised == " ".join(normalised.split())


def test_token_f1_takes_the_best_answer() -> None:
    # Predicted: ضم تحالف 79 دوله. Against "79 دولة": shared 2, so 2*2 / (4+2) = 2/3. Against "تسع": nothing.
    assert token_f1("ضم التحالف 79 دولة.", ["تسع", "79 دولة"]) == pytest.approx(2 / 3)
    assert token_f1("أبو بكر البغدادي", ["ابو بكر البغدادى"]) == 1.0
    # A word given twice is shared once: 2*1 / (2+1).
    assert token_f1("روما روما", ["روما"]) == pytest.approx(2 / 3)
    assert token_f1("", ["79"]) == 0.0
    assert token_f1("79", []) == 0.0
    assert token_f1("...", ["!"]) == 1.0


def test_exact_match_is_after_normalising() -> None:
    assert exact_match("في حزيران.", ["يونيو", "في حَزيران"]) == 1.0
    assert exact_match("the Rome meeting", ["Rome"]) == 0.0
    assert exact_match("Rome", []) == 0.0


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        ("والتزم أعضاء التحالف الـ 79 بمواجهة داعش", "79", True),
        ("والتزم أعضاء التحالف الـ 79 بمواجهة داعش", "9", False),  # within a number
        ("مركز يضم جيوش الدول الأربع(روسيا وإيران)", "الدول الأربع", True),
        ("2-التعامل مع معتقلي «داعش»", 'التعامل مع معتقلي "داعش"', True),
        ("وبالتعامل معهم", "التعامل", True),  # behind and, by
        ("للقضية فقط", "القضية", True),
        ("في روما", "رو", False),  # the beginning of a word
        ("the coalition of the willing", "Coalition", True),
        ("started early", "art", False),
        ("anything", "", False),
    ],
)
def test_an_item_stands_in_a_text_word_for_word(text: str, item: str, expected: bool) -> None:
    assert tells(text, item) is expected


def test_list_recall_is_the_share_of_items_told() -> None:
    assert list_recall("العراق، وسوريا وإيران", ["سوريا", "ايران", "روسيا"]) == pytest.approx(2 / 3)
    assert list_recall("العراق", []) == 0


def test_overlap_is_of_one_article() -> None:
    assert overlap(span(0, 10), span(7, 20)) == 3
    assert overlap(span(0, 10), span(10, 20)) == 0
    assert overlap(span(0, 10), span(0, 10, "b")) == 0


def test_a_quote_is_wrong_unless_it_is_the_slice() -> None:
    articles = {"a": ARTICLE}
    good = {"text": "79", "start": 11, "end": 13}
    right = citation(0, 19, answer_span=good)
    assert right["quote"] == "ضم التحالف 79 دولة."
    assert wrong_quotes([right], articles) == 0
    wrong = [
        citation(0, 19, quote="ضم التحالف 81 دولة."),
        citation(0, 19, answer_span={"text": "79", "start": 12, "end": 14}),  # not that slice
        citation(20, len(TEXT), answer_span=good),  # the right slice, outside of the quote
        citation(-5, len(TEXT), quote=TEXT[-5:]),  # slices to its quote, but is no span
        citation(5, 5, quote=""),
    ]
    assert wrong_quotes([right, *wrong], articles) == len(wrong)
    assert wrong_quotes([right], {}) == 1


def test_sentences_cited_twice_are_counted_folded() -> None:
    first, second = TEXT[:19], TEXT[20:]
    assert repeated_sentences([first, second]) == 0
    # The same sentence with other diacritics and spacing, and a quote of both sentences.
    same = "ضَمَّ التحالف  ٧٩ دولة."
    assert repeated_sentences([first, same]) == 1
    assert repeated_sentences([first, TEXT, same]) == 2
    assert repeated_sentences([]) == 0
