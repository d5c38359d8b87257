"""Files to articles: encodings, front matter, the metadata sidecar, titles, and every way a file can be bad."""

import hashlib
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.articles import article_files, load_article, load_articles
from rag.datatypes import Article
from rag.errors import ArticleError
from rag.text import tokens
from tests.conftest import SEEDS

TEXT = "عُقد اجتماعُ التحالف في روما يوم 28 يونيو 2021. حضره 83 وزيرا."


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "مقال.txt"


def loaded(path: Path, contents: str | bytes) -> Article:
    path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
    return load_article(path)


def problems_of(*paths: Path) -> list[str]:
    problems: list[ArticleError] = []
    list(load_articles(paths, problems))
    return list(map(str, problems))


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1256"])
    def test_arabic_text_is_read_in_its_usual_encodings(self, file: Path, encoding: str) -> None:
        assert loaded(file, TEXT.encode(encoding)).text == TEXT

    @pytest.mark.parametrize(("mark", "encoding"), [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")])
    def test_either_byte_order_is_read(self, file: Path, mark: bytes, encoding: str) -> None:
        assert loaded(file, mark + TEXT.encode(encoding)).text == TEXT

    @pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
    def test_lines_end_in_line_feeds(self, file: Path, line_end: str) -> None:
        assert loaded(file, f"سطر أول{line_end}{line_end}سطر ثان{line_end}").text == "سطر أول\n\nسطر ثان\n"

    def test_text_is_composed(self, file: Path) -> None:
        article = loaded(file, unicodedata.normalize("NFD", "آستانا، إيران، café"))

        assert article.text == "آستانا، إيران، café"
        assert unicodedata.is_normalized("NFC", article.text)

    def test_markup_is_text(self, file: Path) -> None:
        markup = "<script>alert('x')</script> <b>نص</b> &amp;"

        assert loaded(file, markup).text == markup

    @settings(deadline=None)
    @given(text=st.text().filter(lambda text: tokens(text) and "\0" not in text))
    def test_any_text_is_read_as_it_stands(self, tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
        path = tmp_path_factory.mktemp("any") / "a.txt"

        article = loaded(path, text)

        composed = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
        assert article.text == composed.replace("\r\n", "\n").replace("\r", "\n")
        assert article.title
        assert article.title == " ".join(article.title.split())


class TestBadFiles:
    @pytest.mark.parametrize(
        ("contents", "complaint"),
        [
            pytest.param(b"", "is empty", id="no bytes"),
            pytest.param(b" \n\t\r\n", "is empty", id="white space"),
            pytest.param("\ufeff… ، 😀 ـ\n".encode(), "is empty", id="no words"),
            pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is binary, not text", id="picture"),
            pytest.param(b"text\0text", "is binary, not text", id="NUL in text"),
            pytest.param(TEXT.encode("utf-32"), "is binary, not text", id="UTF-32"),
            pytest.param(TEXT.encode("utf-16-le"), "is binary, not text", id="UTF-16 without mark"),
            pytest.param("d\xe9j\xe0 vu".encode("latin-1"), r"is not UTF-8 text \(byte 1\)", id="Latin-1"),
            pytest.param(TEXT.encode()[:-2] + b"\xd8", r"is not UTF-8 text \(byte \d+\)", id="cut in a letter"),
            pytest.param(TEXT.encode()[1:], r"is not UTF-8 text \(byte 0\)", id="begins in a letter"),
        ],
    )
    def test_a_file_that_is_no_article_is_named(self, file: Path, contents: bytes, complaint: str) -> None:
        with pytest.raises(ArticleError, match=rf"^{file}: {complaint}$"):
            loaded(file, contents)

    @settings(deadline=None)
    @given(contents=st.binary(max_size=200))
    def test_any_bytes_are_an_article_or_an_article_error(
        self, tmp_path_factory: pytest.TempPathFactory, contents: bytes
    ) -> None:
        for suffix in (".txt", ".md"):
            path = (tmp_path_factory.mktemp("any") / "a").with_suffix(suffix)
            path.write_bytes(contents)
            problems = problems_of(path)
            assert [problem for problem in problems if not problem.startswith(f"{path}: ") or "\n" in problem] == []
            assert len(problems) + len(list(load_articles([path], []))) == 1

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
    def test_a_file_without_permission_is_named(self, file: Path) -> None:
        file.write_text(TEXT)
        file.chmod(0)

        with pytest.raises(ArticleError, match=rf"^{file}: cannot be read \(Permission denied\)"):
            load_article(file)

    def test_a_file_that_fails_to_read_is_named(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(_: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_bytes", denied)

        with pytest.raises(ArticleError, match=rf"^{file}: cannot be read \(Permission denied\); check"):
            load_article(file)

    def test_a_file_that_is_not_there_is_named(self, file: Path) -> None:
        with pytest.raises(ArticleError, match=rf"^{file}: cannot be read \(No such file"):
            load_article(file)

    def test_an_unknown_suffix_names_the_known_ones(self, tmp_path: Path) -> None:
        with pytest.raises(ArticleError, match=r"a\.pdf: unknown kind of file; use \.txt, \.md$"):
            load_article(tmp_path / "a.pdf")

    def test_a_suffix_in_capitals_is_known(self, tmp_path: Path) -> None:
        assert loaded(tmp_path / "a.TXT", TEXT).id == "a"

    def test_a_name_that_cannot_be_written_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ArticleError, match=r"rename it$") as caught:
            load_article(tmp_path / "a\nb\udcff.txt")

        assert str(caught.value).isprintable()


class TestTitles:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            pytest.param("اجتماع روما\n\n" + TEXT, "اجتماع روما", id="line set off"),
            pytest.param("\n\n  اجتماع روما  \n\n" + TEXT, "اجتماع روما", id="after blank lines"),
            pytest.param("اجتماع\u00a0 روما\n\n" + TEXT, "اجتماع روما", id="spaces within"),
            pytest.param("# What next?\n" + TEXT, "What next?", id="Markdown heading"),
            pytest.param(TEXT, "عُقد اجتماعُ التحالف في روما يوم 28 يونيو 2021. حضره…", id="first ten words"),
            pytest.param("هذه جملة.\n\n" + TEXT, "هذه جملة. عُقد اجتماعُ التحالف في روما يوم 28 يونيو…", id="full stop"),
            pytest.param("سطر أول\nسطر ثان\nسطر ثالث", "سطر أول سطر ثان سطر ثالث…", id="on one line"),
            pytest.param("«داعش» في العراق.", "داعش» في العراق…", id="from the first word"),
            pytest.param("=" * 2000 + "\nنص المقال هنا.", "مقال", id="no word in sight: the file's name"),
            pytest.param("كلمة " * 60 + "\n\n" + TEXT, "كلمة " * 9 + "كلمة…", id="too long for a title"),
        ],
    )
    def test_title_of_a_text(self, file: Path, text: str, title: str) -> None:
        assert loaded(file, text).title == title

    def test_a_stated_title_comes_before_that_of_the_text(self, file: Path) -> None:
        file.write_text("اجتماع روما\n\n" + TEXT)

        assert load_article(file, {"title": "روما  \n2021"}).title == "روما 2021"
        assert load_article(file, {"title": " "}).title == "اجتماع روما"

    def test_the_first_words_do_not_begin_with_the_outlet(self, file: Path) -> None:
        file.write_text("الوقت- دشّنت روسيا حلفا رباعيا.")

        assert load_article(file, {"outlet": "الوقت"}).title == "دشّنت روسيا حلفا رباعيا…"


class TestFrontMatter:
    def test_all_fields(self, tmp_path: Path) -> None:
        front = (
            'title: "اجتماع روما"\nauthor: جاسم محمد\noutlet: رؤية\nlanguage: ar\ndate: 2021-06-28\n'
            "date_quote: يوم 28 يونيو 2021\nurl: https://example.com/1\ntags: [a, b]\nlayout: post\n"
        )

        assert loaded(tmp_path / "a.md", f"---\n{front}---\n{TEXT}\n") == Article(
            id="a",
            source="a.md",
            title="اجتماع روما",
            language="ar",
            text=TEXT + "\n",
            author="جاسم محمد",
            outlet="رؤية",
            date="2021-06-28",
            date_quote="يوم 28 يونيو 2021",
            url="https://example.com/1",
        )

    @pytest.mark.parametrize(
        "contents",
        [
            pytest.param(f"---\r\ntitle: عنوان\r\n---\r\n{TEXT}", id="CRLF"),
            pytest.param(f"\ufeff---\ntitle: عنوان\n---\n{TEXT}", id="byte order mark"),
            pytest.param(f"--- \ntitle: عنوان\nauthor:\ndate: ~\n---\t\n{TEXT}", id="fields left blank"),
        ],
    )
    def test_front_matter_as_people_write_it(self, tmp_path: Path, contents: str) -> None:
        article = loaded(tmp_path / "a.md", contents)

        assert (article.title, article.author, article.date, article.text) == ("عنوان", None, None, TEXT)

    @pytest.mark.parametrize("contents", [f"---\n---\n{TEXT}", f"---\n\n---\n{TEXT}", f"---\n# nothing\n---\n{TEXT}"])
    def test_empty_front_matter_states_nothing(self, tmp_path: Path, contents: str) -> None:
        assert loaded(tmp_path / "a.md", contents).text == TEXT

    def test_a_rule_further_down_is_no_front_matter(self, tmp_path: Path) -> None:
        contents = f"{TEXT}\n\n---\ntitle: لا\n---\n"

        assert loaded(tmp_path / "a.md", contents).text == contents

    def test_a_text_file_has_no_front_matter(self, tmp_path: Path) -> None:
        contents = f"---\ntitle: عنوان\n---\n{TEXT}"

        assert loaded(tmp_path / "a.txt", contents).text == contents

    @pytest.mark.parametrize(
        ("front", "complaint"),
        [
            ("title: [عنوان", "has front matter that is not YAML"),
            ("title: a: b", "has front matter that is not YAML"),
            ("date: 2021-06-31", "has front matter that is not YAML: day is out of range"),
            ("just a sentence", "has front matter that is not a list of fields"),
            ("- a\n- b", "has front matter that is not a list of fields"),
            ("title: 2021", "has metadata title = 2021: write text in quotes"),
            ("author: [a, b]", "has metadata author = "),
            ("date: June 2021", "has date 'June 2021': write YYYY-MM-DD"),
            ("date: 2021", "has date 2021: write YYYY-MM-DD"),
            ("date: 2021-06-28 10:00:00", "has date .*: write YYYY-MM-DD"),
            ("language: fr", "has language 'fr': write ar or en"),
            ("date_quote: 29 يونيو", "has a date_quote that does not stand in it: '29 يونيو'"),
        ],
    )
    def test_bad_front_matter_is_named(self, tmp_path: Path, front: str, complaint: str) -> None:
        with pytest.raises(ArticleError, match=rf"a\.md: {complaint}") as caught:
            loaded(tmp_path / "a.md", f"---\n{front}\n---\n{TEXT}")

        assert "\n" not in str(caught.value)

    def test_front_matter_alone_is_empty(self, tmp_path: Path) -> None:
        with pytest.raises(ArticleError, match="is empty"):
            loaded(tmp_path / "a.md", "---\ntitle: عنوان\n---")


class TestSidecar:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "a.txt").write_text(TEXT)
        (tmp_path / "b.md").write_text(f"---\ntitle: من الملف\nauthor: كاتب\n---\n{TEXT}")
        return tmp_path

    def test_its_fields_come_before_those_of_the_file(self, folder: Path) -> None:
        (folder / "metadata.toml").write_text(
            '["a.txt"]\ndate = "2021-06-28"\ndate_quote = "28 يونيو 2021"\n["b.md"]\ntitle = "من الجدول"\n'
        )

        first, second = load_articles([folder])

        assert (first.date, first.date_quote) == ("2021-06-28", "28 يونيو 2021")
        assert (second.title, second.author) == ("من الجدول", "كاتب")

    def test_a_toml_date_is_a_date(self, folder: Path) -> None:
        (folder / "metadata.toml").write_text('["a.txt"]\ndate = 2021-06-28\n')

        assert next(load_articles([folder])).date == "2021-06-28"

    @pytest.mark.parametrize(
        ("field", "complaint"),
        [
            ('titel = "x"', "has unknown metadata 'titel': use title, author"),
            ("title = 7", "has metadata title = 7: write text in quotes"),
            ('author = ["a", "b"]', "has metadata author = "),
            ('date = "28/6/2021"', "has date '28/6/2021': write YYYY-MM-DD"),
            ("date = 2021-06-28T10:00:00", "has date .* write YYYY-MM-DD"),
            ('date_quote = "يوم الثلاثاء"', "has a date_quote that does not stand in it: 'يوم الثلاثاء'"),
            ('language = "العربية"', "has language 'العربية': write ar or en"),
        ],
    )
    def test_a_bad_field_is_a_problem_of_its_article_alone(self, folder: Path, field: str, complaint: str) -> None:
        (folder / "metadata.toml").write_text(f'["a.txt"]\n{field}\n')
        problems: list[ArticleError] = []

        articles = list(load_articles([folder], problems))

        assert [article.id for article in articles] == ["b"]
        assert len(problems) == 1
        with pytest.raises(ArticleError, match=rf"^{folder / 'a.txt'}: {complaint}"):
            raise problems[0]

    @pytest.mark.parametrize(
        ("toml", "complaint"),
        [
            (b'["a.txt"\n', r"cannot be read as TOML \("),
            (b'["a.txt"]\ntitle = "a"\ntitle = "b"\n', r"cannot be read as TOML \("),
            (b"\xff\xfe", r"cannot be read as TOML \("),
            (b'title = "x"\n', r"'title' is not a table; write \[\"title\"\] above its fields"),
        ],
    )
    def test_a_broken_sidecar_stops_the_loading(self, folder: Path, toml: bytes, complaint: str) -> None:
        (folder / "metadata.toml").write_bytes(toml)

        with pytest.raises(ArticleError, match=rf"metadata\.toml: {complaint}"):
            list(load_articles([folder], []))

    def test_each_folder_has_its_own(self, folder: Path) -> None:
        (folder / "metadata.toml").write_text('["c.txt"]\ntitle = "ليس هنا"\n')
        (folder / "sub").mkdir()
        (folder / "sub" / "c.txt").write_text(TEXT)
        (folder / "sub" / "metadata.toml").write_text('["c.txt"]\ntitle = "هنا"\n')

        assert {article.id: article.title for article in load_articles([folder])}["c"] == "هنا"


class TestFolders:
    def test_files_are_found_in_depth_in_a_fixed_order(self, tmp_path: Path) -> None:
        for name in ("b.txt", "a.md", "ج.txt", "notes.pdf", ".hidden.txt", "sub/c.TXT", "d.txt/e.md"):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(TEXT)

        found = [str(path.relative_to(tmp_path)) for path in article_files([tmp_path])]

        assert found == ["a.md", "b.txt", "d.txt/e.md", "sub/c.TXT", "ج.txt"]

    def test_a_file_named_twice_is_read_once(self, file: Path) -> None:
        file.write_text(TEXT)

        assert article_files([file, file.parent, file]) == [file]
        assert problems_of(file.parent, file) == []

    def test_of_two_files_of_one_name_the_second_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "a.md").write_text(TEXT)
        (tmp_path / "a.txt").write_text(TEXT)
        problems: list[ArticleError] = []

        articles = list(load_articles([tmp_path], problems))

        assert [article.source for article in articles] == ["a.md"]
        assert list(map(str, problems)) == [
            f"{tmp_path / 'a.txt'}: has the same name as {tmp_path / 'a.md'}; rename one of them"
        ]

    def test_the_second_of_one_name_is_read_where_the_first_is_bad(self, tmp_path: Path) -> None:
        (tmp_path / "a.md").write_text("")
        (tmp_path / "a.txt").write_text(TEXT)
        problems: list[ArticleError] = []

        assert [article.source for article in load_articles([tmp_path], problems)] == ["a.txt"]
        assert list(map(str, problems)) == [f"{tmp_path / 'a.md'}: is empty"]

    def test_bad_files_are_passed_over_and_named(self, file: Path) -> None:
        file.write_text(TEXT)
        for name in ("1.txt", "2.txt"):
            (file.parent / name).write_bytes(b"")
        problems: list[ArticleError] = []

        assert [article.source for article in load_articles([file.parent], problems)] == ["مقال.txt"]
        assert len(problems) == 2

    def test_without_a_list_of_problems_the_first_one_raises(self, file: Path) -> None:
        file.write_text("")

        with pytest.raises(ArticleError, match="is empty"):
            list(load_articles([file]))

    def test_a_path_that_is_not_there_is_named(self, file: Path) -> None:
        complaint = f"{file}: no such file or folder; name one that holds articles"

        assert problems_of(file) == [complaint]
        with pytest.raises(ArticleError, match=complaint):
            article_files([file])

    @pytest.mark.parametrize("name", ["a" * 5000, "a\0b"])
    def test_a_path_that_cannot_be_is_named(self, tmp_path: Path, name: str) -> None:
        (problem,) = problems_of(tmp_path / name)

        assert problem.startswith(f"{tmp_path / name}: ")

    def test_a_file_of_another_kind_is_a_problem_only_when_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.pdf").write_text(TEXT)

        assert problems_of(tmp_path) == []
        assert problems_of(tmp_path / "a.pdf") == [f"{tmp_path / 'a.pdf'}: unknown kind of file; use .txt, .md"]


SEEDS_SHA256 = {
    "000_5777fd76cff240d9.txt": "e416a8eaeadb6ccfe54caf4650dd04011218c255717c3c004992e3f1fc2e4d4b",
    "001_3d39952ec6612205.txt": "5e0b310c4adcd8bce554563cfad6a208b3db136e445082ec96a81644b4d8d351",
    "002_aaa179ca8755251f.txt": "ae85c4267368131c24183f23d2a38cdb856675a234373ea80209ba2a83248f8f",
    "003_4c8299b17c72dc3b.txt": "8496b5b7b55183d6991551496e8138da1cdbd58be4305d718d6fe6a0d126a2a3",
    "004_a21df3d5a833bc27.txt": "2b714f58c2a0c0748673b34efa70f12335cef75c04f2fa42effd408cf6478765",
}


class TestTheFiveArticles:
    def test_the_files_are_those_given_byte_for_byte(self) -> None:
        digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in article_files([SEEDS])}

        assert digests == SEEDS_SHA256

    def test_the_text_is_that_of_the_file(self) -> None:
        for article in load_articles([SEEDS]):
            assert article.text == (SEEDS / article.source).read_text(encoding="utf-8")

    def test_what_they_state_of_themselves(self) -> None:
        stated = [
            (article.id[:3], article.title, article.author, article.outlet, article.language)
            for article in load_articles([SEEDS])
        ]

        assert stated == [
            ("000", "يمثل نجاح التحالف الدولي ضد تنظيم «داعش» منعطفاً مهماً في…", None, None, "ar"),
            ("001", "التحالف الدولي لمحاربة داعش في العراق وسوريا ـ قراءة مستقبلية", "جاسم محمد", "رؤية", "ar"),
            ("002", "التحالف الدولي واستراتيجية مكافحة الإرهاب.. تحديات جديدة", "جاسم محمد", "رؤية", "ar"),
            ("003", 'حقق "التحالف" ضد تنظيم "داعش" الارهابي إنجازات عدة، بدأت بالقضاء…', None, None, "ar"),
            ("004", "دشّنت كل منّ روسيا وإيران وسوريا والعراق حلفاً رباعياً بشق…", None, "الوقت", "ar"),
        ]
        assert {(article.date, article.date_quote, article.url) for article in load_articles([SEEDS])} == {
            (None, None, None)
        }
