"""Folding, tokens, stems, terms, language and direction of Arabic and English."""

import sys
import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.text import STOP_WORDS, Token, detect_language, direction, fold, fold_spans, stem, terms, tokens

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
"""Every code point, lone surrogates among them."""

NEWS_TEXT = st.text(st.sampled_from("ابتثجحدرسعفقلمنهويأإآىةءـًّ٠١٧۷2019.,٫٬ abcXYZ\u00a0\u200f\n«»-"))
"""What the marks of real articles make of each other."""


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        pytest.param("مُحَمَّدٌ", "محمد", id="short vowels, shadda, tanwin"),
        pytest.param("أوّلاً", "اولا", id="fathatan before alef or after it"),
        pytest.param("أوّلًا", "اولا", id="fathatan after lam"),
        pytest.param("هٰذا", "هذا", id="dagger alef"),
        pytest.param("المتغيـرات", "المتغيرات", id="tatweel inside a word"),
        pytest.param("الـ 83", "ال 83", id="tatweel after a prefix"),
        pytest.param("أحمد إيران آستانا ٱلله", "احمد ايران استانا الله", id="alef forms"),
        pytest.param("مؤتمر رئيس", "موتمر رييس", id="hamza on a carrier"),
        pytest.param("ماء شيء", "ماء شيء", id="hamza by itself stays"),
        pytest.param("مصطفى", "مصطفي", id="alef maqsura"),
        pytest.param("مدينة", "مدينه", id="ta marbuta"),
        pytest.param("ایران کے ہے", "ايران كي هي", id="Persian and Urdu letters"),
        pytest.param("٠١٢٣٤٥٦٧٨٩", "0123456789", id="Arabic-Indic digits"),
        pytest.param("۰۱۲۳۴۵۶۷۸۹", "0123456789", id="Persian digits"),
        pytest.param("１２３ ²", "123 2", id="full-width and superscript digits"),
        pytest.param("ﺍﻟﺴﻼﻡ ﻻ", "السلام لا", id="presentation forms and ligatures"),
        pytest.param("NATO Iraq", "nato iraq", id="Latin case"),
        pytest.param("Straße İstanbul café", "strasse istanbul cafe", id="case folding and accents"),
        pytest.param("a\u00a0b\u3000c\td\ne", "a b c d e", id="every white space is a space"),
        pytest.param("ا\u200fب\u200cج\ufeffد\u2066ه", "ابجده", id="invisible marks"),
        pytest.param("a\x00b\x1bc", "a b c", id="control characters"),
        pytest.param("«داعش»، 7.7؟", "«داعش»، 7.7؟", id="punctuation stays"),
        pytest.param("", "", id="empty"),
    ],
)
def test_fold(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_fold_is_the_same_for_every_unicode_form(form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    text = "أوّلاً: مؤتمر الـ 79 في آستانا، ﻻ غير؛ café"

    assert fold(unicodedata.normalize(form, text)) == fold(text)


@settings(deadline=None)
@given(ANY_TEXT)
@example("\ud800ا\udfff")
@example("".join(map(chr, range(sys.maxunicode - 300, sys.maxunicode + 1))))
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@settings(deadline=None)
@given(ANY_TEXT | NEWS_TEXT)
def test_fold_spans_map_back(text: str) -> None:
    folded, origins = fold_spans(text)

    assert folded == fold(text)
    assert len(origins) == len(folded)
    assert origins == sorted(origins)
    for char, origin in zip(folded, origins, strict=True):
        assert char in fold(text[origin])


def test_fold_spans_of_a_ligature_and_of_dropped_marks() -> None:
    #              0 1     2     3
    assert fold_spans("ل\u064fـﻻ") == ("للا", [0, 3, 3])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("10.000 مقاتل", ["10000"]),
        ("10,000 fighters", ["10000"]),
        ("١٠٬٠٠٠ مقاتل", ["10000"]),
        ("1,250,000", ["1250000"]),
        ("7.7 مليون", ["7.7"]),
        ("7,7 مليون", ["7.7"]),
        ("٧٫٧ مليون", ["7.7"]),
        ("۷٫۷", ["7.7"]),
        ("الـ79", ["79"]),
        ("30/3/2021", ["30", "3", "2021"]),
        ("عام 2014.", ["2014"]),
        ("1-2", ["1", "2"]),
    ],
)
def test_numbers_are_one_token_however_written(text: str, numbers: list[str]) -> None:
    assert [token.text for token in tokens(text) if token.text[0].isdecimal()] == numbers


def test_tokens_have_spans_into_the_text() -> None:
    text = "«الـمُتغيـرات» 7.7%، NATO’s"

    assert tokens(text) == [
        Token("المتغيرات", 1, 13),
        Token("7.7", 15, 18),
        Token("nato", 21, 25),
        Token("s", 26, 27),
    ]
    assert text[1:13] == "الـمُتغيـرات"


def test_letters_and_digits_are_separate_tokens() -> None:
    assert [token.text for token in tokens("MEMAC2017 و83وزيرا system_of")] == [
        "memac",
        "2017",
        "و",
        "83",
        "وزيرا",
        "system",
        "of",
    ]


@settings(deadline=None)
@given(ANY_TEXT | NEWS_TEXT)
def test_token_spans_are_ordered_and_hold_what_they_say(text: str) -> None:
    found = tokens(text)

    # Two tokens may come of one character: "½" is 1 and 2.
    for earlier, later in pairwise(found):
        assert earlier.start <= later.start
        assert earlier.end <= later.end
    for token in found:
        assert 0 <= token.start < token.end <= len(text)
        letters = fold(text[token.start : token.end])
        assert "".join(filter(str.isalnum, token.text)) in "".join(filter(str.isalnum, letters))


@settings(deadline=None)
@given(NEWS_TEXT)
def test_tokens_of_a_text_and_of_its_fold_are_the_same(text: str) -> None:
    assert [token.text for token in tokens(fold(text))] == [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    "family",
    [
        "وزير الوزير والوزير للوزير بالوزير",
        "الوزراء والوزراء للوزراء",
        "داعش لداعش وداعش",
        "الموصل بالموصل والموصل للموصل",
        "الأمريكي الأمريكية أمريكي أمريكيين الامريكيون",
        "مقاتل مقاتلون المقاتلين والمقاتلين",
        "التحالف تحالف تحالفات والتحالفات للتحالفات",
        "الإرهاب للإرهاب والإرهاب إرهاب",
        "مكافحة لمكافحة المكافحة ومكافحة",
        "مدينة المدينة ومدينة للمدينة",
    ],
)
def test_forms_of_an_arabic_word_share_a_stem(family: str) -> None:
    assert len({stem(fold(word)) for word in family.split()}) == 1


@pytest.mark.parametrize("word", ["داعش", "وزير", "موسكو", "لندن", "فقط", "ولد", "حرب", "بن", "و"])
def test_the_first_radical_is_no_prefix(word: str) -> None:
    assert stem(word) == word


@pytest.mark.parametrize("pair", ["العراق العرب", "سوريا روسيا", "وزير وزن", "جيش جهاد"])
def test_other_words_keep_other_stems(pair: str) -> None:
    first, second = map(stem, map(fold, pair.split()))

    assert first != second


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("ministers", "minist"), ("meeting", "meet"), ("countries", "countri"), ("10000", "10000"), ("7.7", "7.7")],
)
def test_english_words_are_stemmed_and_numbers_are_not(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


@pytest.mark.parametrize("word", ["москва", "東京", "ευρωπη"])
def test_words_of_other_scripts_stay_as_they_are(word: str) -> None:
    assert stem(word) == word


@settings(deadline=None)
@given(ANY_TEXT)
def test_no_token_stems_to_nothing(text: str) -> None:
    assert all(terms(text))


def test_terms_leave_stop_words_out_and_keep_order_and_repeats() -> None:
    assert terms("ما هو موقف التحالف من الإرهاب، والتحالف في الموصل؟") == ["موقف", "تحالف", "ارهاب", "تحالف", "موصل"]
    assert terms("What is the position of the coalition on the coalitions?") == ["posit", "coalit", "coalit"]
    assert terms("من هو؟ ... !") == []


@pytest.mark.parametrize("word", ["التي", "إلى", "أيضاً", "the", "من", "What", "لماذا"])
def test_stop_words_are_found_however_written(word: str) -> None:
    assert fold(word) in STOP_WORDS
    assert terms(word) == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("متى تأسس التحالف؟", "ar"),
        ("When was the coalition founded?", "en"),
        ("NATO وافق على بقاء القوات في العراق", "ar"),
        ("The word داعش means ISIS here", "en"),
        ("ﺩﺍﻋﺶ", "ar"),
        ("ab اب", "ar"),
        ("Qu'est-ce que c'est, à l'été ?", "en"),
        ("Кто такой Байден?", "und"),
        ("誰がローマで会いましたか NATO", "und"),
        ("😀🎉!?، 123 ٤٥", "und"),
        ("", "und"),
        ("\u200f\ud800", "und"),
    ],
)
def test_language_is_that_of_most_letters(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("NATO وافق على بقاء القوات في العراق", "rtl"),
        ("داعش is what ISIS is called in Arabic", "ltr"),
        ("2021", "ltr"),
        ("", "ltr"),
    ],
)
def test_direction_is_that_of_most_letters_not_of_the_first(text: str, written: str) -> None:
    assert direction(text) == written


@settings(deadline=None)
@given(ANY_TEXT)
def test_language_and_direction_agree(text: str) -> None:
    assert (direction(text) == "rtl") == (detect_language(text) == "ar")
