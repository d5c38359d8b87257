"""The bilingual lexicon: real words in both directions, aliases, names, damaged files, spans, transliteration."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import RagError
from rag.lexicon import BUNDLED, FORMAT, MAX_WORDS, Lexicon, LexiconMatch, transliteration_key
from rag.text import STOP_WORDS, TEXT_VERSION, terms

LEXICON = Lexicon.open()


def said(match: LexiconMatch) -> set[tuple[str, ...]]:
    return {alternative.terms for alternative in match.alternatives}


def only(text: str) -> LexiconMatch:
    stems = terms(text)
    matches = LEXICON.lookup(stems)
    assert [(match.start, match.length) for match in matches] == [(0, len(stems))], f"{text!r} is not one entry"
    return matches[0]


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("Rome", "روما"),
        ("روما", "Rome"),
        ("June", "حزيران"),
        ("June", "يونيو"),
        ("حزيران", "June"),
        ("October", "تشرين الأول"),
        ("meeting", "اجتماع"),
        ("sanctions", "عقوبات"),
        ("العقوبات", "sanctions"),
        ("السجون", "prison"),
        ("seven", "سبعة"),
        ("press conference", "مؤتمر صحفي"),
        ("وزير الخارجية", "foreign minister"),
        ("the Security Council", "مجلس الأمن"),
        ("NATO", "الناتو"),
        ("الاستطلاع", "reconnaissance"),
        ("Italians", "إيطاليا"),
    ],
)
def test_translates_both_ways(asked: str, other: str) -> None:
    assert tuple(terms(other)) in said(only(asked))


@pytest.mark.parametrize(
    ("asked", "same"),
    [
        ("حزيران", "يونيو"),
        ("آب", "أغسطس"),
        ("داعش", "تنظيم الدولة الإسلامية"),
        ("تنظيم الدولة الإسلامية", "داعش"),
        ("قسد", "قوات سوريا الديمقراطية"),
        ("قوات سوريا الديمقراطية", "قسد"),
        ("أمريكا", "الولايات المتحدة"),
        ("الأميركية", "أمريكا"),
        ("آستانا", "الأستانة"),
        ("ISIS", "ISIL"),
        ("Daesh", "Islamic State"),
        ("thousand", "1000"),
    ],
)
def test_knows_aliases_inside_a_language(asked: str, same: str) -> None:
    assert tuple(terms(same)) in said(only(asked))


def test_longest_entry_wins_over_its_words() -> None:
    stems = terms("the foreign minister of Jordan visited Rome")
    matches = LEXICON.lookup(stems)
    found = [" ".join(stems[match.start : match.start + match.length]) for match in matches]
    assert found[0] == "foreign minist"
    assert "jordan" in found
    assert "rome" in found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Iraq", "place"),
        ("العراق", "place"),
        ("دير الزور", "place"),
        ("Pentagon", "org"),
        ("البنتاغون", "org"),
        ("Blinken", "person"),
        ("بلينكن", "person"),
        ("January", "date"),
        ("كانون الثاني", "date"),
        ("twenty", "number"),
        ("reconnaissance", None),
        ("اجتماع", None),
        ("rice", None),
    ],
)
def test_kind_of_name(text: str, kind: str | None) -> None:
    assert LEXICON.kind(terms(text)) == kind


def test_unknown_words_and_nothing_have_no_entry() -> None:
    assert LEXICON.lookup(["qqzzxqq"]) == []
    assert LEXICON.lookup([]) == []
    assert LEXICON.kind([]) is None
    assert LEXICON.kind(["qqzzxqq"]) is None


def test_every_entry_is_well_formed() -> None:
    table = gzip.decompress(BUNDLED.read_bytes()).decode()
    header, *lines = table.splitlines()
    name, version, count = header.split("\t")
    assert (name, int(version), int(count)) == (FORMAT, TEXT_VERSION, len(lines)), "rebuild the lexicon"
    keys = [line.split("\t")[0] for line in lines]
    assert keys == sorted(set(keys), key=str.encode)
    for key in keys[::7]:
        (match,) = LEXICON.lookup(key.split(" "))
        assert match.length <= MAX_WORDS
        weights = [alternative.weight for alternative in match.alternatives]
        assert weights == sorted(weights, reverse=True)
        assert all(0 < weight <= 1 for weight in weights)
        assert tuple(key.split(" ")) not in said(match)
        assert not any(len(other) == 1 and other[0] in STOP_WORDS for other in said(match))
        assert match.alternatives or match.kind


def test_keys_are_what_the_text_module_makes_now() -> None:
    for surface in ("الاجتماعات", "meetings", "المقاتلين الأجانب", "Syrian Democratic Forces"):
        assert LEXICON.lookup(terms(surface))[0].length == len(terms(surface))


WORDS = st.sampled_from(
    terms("Rome meeting June Syrian Democratic Forces مجلس الأمن وزير الخارجية حزيران قسد zzq 2021")
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=12))
def test_spans_are_ordered_apart_and_inside(stems: list[str]) -> None:
    end = 0
    for match in LEXICON.lookup(stems):
        assert match.start >= end
        assert 1 <= match.length <= MAX_WORDS
        end = match.start + match.length
        assert end <= len(stems)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="cut"),
        pytest.param(lambda whole: whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], id="flipped bit"),
        pytest.param(lambda whole: b"", id="empty"),
        pytest.param(lambda whole: b"no gzip", id="no gzip"),
        pytest.param(lambda whole: gzip.compress(b"another\t1\t0\n"), id="other format"),
    ],
)
def test_damaged_file_is_one_clear_line(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "lexicon.tsv.gz"
    path.write_bytes(damage(BUNDLED.read_bytes()))
    with pytest.raises(RagError, match="lexicon") as caught:
        Lexicon.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RagError, match=r"none\.gz cannot be read"):
        Lexicon.open(tmp_path / "none.gz")


@pytest.mark.parametrize(
    ("english", "arabic"),
    [
        ("Stoltenberg", "ستولتنبرغ"),
        ("Barkhane", "برخان"),
        ("Zavidovo", "زافيدوفا"),
        ("Patrushev", "باتروشيف"),
        ("Batrushev", "باتروشيف"),
        ("Shamkhani", "شمخاني"),
        ("Jeffrey", "جيفري"),
        ("Blinken", "بلينكن"),
        ("Al-Qahtani", "القحطاني"),
    ],
)
def test_transliterations_share_a_key(english: str, arabic: str) -> None:
    assert transliteration_key(english) == transliteration_key(arabic) != ""


def test_transliteration_keeps_different_names_apart() -> None:
    names = ["ستولتنبرغ", "برخان", "باتروشيف", "شمخاني", "بلينكن", "ماكرون", "أردوغان"]
    assert len({transliteration_key(name) for name in names}) == len(names)


@given(st.text(max_size=20))
def test_transliteration_key_takes_anything(word: str) -> None:
    assert set(transliteration_key(word)) <= set("bdfghklmnrst")
