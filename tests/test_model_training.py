"""Making the bilingual model: every step on rows small enough to work out by hand, and all of them together."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from rag.embedders import WEIGHTS
from rag.text import detect_language
from rag.training.__main__ import main
from rag.training.contrast import rank_loss
from rag.training.corpus import Group, Overlap, Pair, load_groups, load_pairs, pairs_of, trains, write_corpus
from rag.training.descent import Checkpoints, descend, rate_share
from rag.training.distil import contrast, with_pieces
from rag.training.export import average
from rag.training.first_vectors import first_vectors
from rag.training.measure import measures, ranks
from rag.training.mining import hard_batches
from rag.training.recipe import Recipe, Stage, Workplace
from rag.training.student import WORDS, embed, encode, open_model, open_tokenizer, pack, with_words
from rag.training.teacher import Taught
from rag.training.vocabulary import extend_vocabulary, new_pieces
from tests.tiny_model import DIMENSION, make_tiny_model

DATA = Path(__file__).resolve().parent.parent / "rag" / "training"
STAGE = Stage(steps=4, batch=2, embedding_rate=1e-2, body_rate=1e-3, warmup=2, checkpoint=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("training") / "tiny")


def pairs(*rows: tuple[str, str]) -> list[Pair]:
    return [Pair(english, arabic, "ours") for english, arabic in rows]


# --- the project's own rows


def test_world_passages_hold_their_answers_and_three_share_a_subject() -> None:
    rows = [json.loads(line) for line in (DATA / "passages_world.jsonl").read_text("utf-8").split("\n") if line]

    assert len({row["id"] for row in rows}) == len(rows) == 1518
    for row in rows:
        assert len(row["questions"]) == 4
        for language in ("ar", "en"):
            assert detect_language(row[f"passage_{language}"]) == language
            assert all(asked[f"answer_{language}"] in row[f"passage_{language}"] for asked in row["questions"])


@pytest.mark.parametrize("name", ["glossary.tsv", "sentences.tsv"])
def test_own_pairs_are_two_columns_without_doubles(name: str) -> None:
    rows = (DATA / name).read_text("utf-8").splitlines()

    assert len(set(rows)) == len(rows)
    assert all(re.fullmatch(r"[^\t\u0600-\u06ff]+\t[^\t]*[\u0600-\u06ff][^\t]*", row) for row in rows)


# --- corpus


def test_odd_numbers_never_train() -> None:
    assert [identity for identity in ("A001", "A002", "E03", "E10") if trains(identity)] == ["A002", "E10"]


def test_overlap_is_a_whole_text_or_ten_words_in_a_row() -> None:
    overlap = Overlap(["one two three four five six seven eight nine ten eleven", "متى تأسس التحالف الدولي؟"])

    assert "zero two three four five six seven eight nine ten eleven" in overlap
    assert "zero three four five six seven eight nine ten eleven" not in overlap
    assert "متى تأسّس التحالف الدولي" in overlap
    assert "متى تأسس التحالف الدولي في روما" not in overlap


def test_a_passage_gives_its_sentences_only_where_both_sides_have_as_many() -> None:
    whole = {
        "en": "The ministers met in Rome on Monday. Nobody had invited the delegation from Paris.",
        "ar": "اجتمع الوزراء في روما يوم الاثنين. لم يدع أحد الوفد القادم من باريس.",
    }
    uneven = {
        "en": "The ministers met in Rome on Monday. Nobody had invited the delegation from Paris.",
        "ar": "اجتمع الوزراء في روما يوم الاثنين ولم يدع أحد الوفد القادم من باريس.",
    }
    group = Group(source="ours", passages=[whole, uneven], questions=[({"en": "Who met?", "ar": "من اجتمع؟"}, 0)])

    assert [pair.english for pair in pairs_of(group)] == [
        "Who met?",
        "The ministers met in Rome on Monday. Nobody had invited the delegation from Paris.",
        "The ministers met in Rome on Monday. Nobody had invited the delegation from Paris.",
        "The ministers met in Rome on Monday.",
        "Nobody had invited the delegation from Paris.",
    ]


def test_rows_that_the_development_sets_hold_are_left_out(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    (sets / "dev").mkdir(parents=True)
    rows = [json.loads(line) for line in (DATA / "passages_world.jsonl").read_text("utf-8").split("\n") if line]
    (sets / "dev" / "flores101-devtest.eng.txt").write_text(rows[0]["passage_en"] + "\n", encoding="utf-8")
    kept = Workplace(work=tmp_path / "kept", base=WEIGHTS, start=WEIGHTS)
    write_corpus(kept, Recipe())
    everything = load_groups(kept.work)

    held = {text["en"] for group in everything for text in group.passages}
    overlap = Overlap([rows[0]["passage_en"]])

    assert rows[0]["passage_en"] in held
    assert [text for text in held if text in overlap] == [rows[0]["passage_en"]]
    assert {pair.source for pair in load_pairs(kept.work)} == {"glossary.tsv", "sentences.tsv", "passages"}


# --- tokenizer and first vectors


def test_frequent_words_become_pieces_and_the_start_keeps_its_rows(folder: Path) -> None:
    rows = pairs(("the Fatimids", "الفاطميون"), ("the Fatimids came", "الفاطميون"), ("once", "مرة"))

    tokenizer = extend_vocabulary(folder, rows, Recipe(pieces=5))
    before = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    after = tokenizer.get_vocab()

    assert tokenizer.encode("الفاطميون", add_special_tokens=False).tokens == ["الفاطميون"]
    assert "مرة" not in after
    kept = [piece for piece in before if "ى" not in piece and not piece.startswith("[unused")]
    assert {after[piece] for piece in kept} == {before[piece] for piece in kept}


def test_spare_rows_are_used_before_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.training.vocabulary._FEW", 0)  # or it would be taught sub-words first
    stated = json.loads((WEIGHTS / "tokenizer.json").read_text("utf-8"))
    special = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    stated["model"]["vocab"] = special | {"[unused7]": 5, "على": 6, "علي": 7}
    (tmp_path / "tokenizer.json").write_text(json.dumps(stated), encoding="utf-8")
    rows = pairs(
        ("a", "أسسوها أسسوها أسسوها باريس باريس ثالث ثالث"),
    )

    vocabulary = extend_vocabulary(tmp_path, [*rows, *rows], Recipe(pieces=1)).get_vocab()

    # `على` and `علي` fold to one name: the second row is spare, as BERT's unused one is.
    assert vocabulary == special | {"علي": 6, "اسسوها": 5, "باريس": 7, "ثالث": 8}


def test_spellings_fold_to_one_piece() -> None:
    tokenizer = extend_vocabulary(WEIGHTS, [], Recipe(pieces=0))
    spellings = ("البريطاني", "البريطانى", "البـريطانيّ")
    tokens = [tokenizer.encode(word, add_special_tokens=False).tokens for word in spellings]

    assert tokens[0] == tokens[1] == tokens[2]
    assert tokenizer.encode("عام ٢٠١٤", add_special_tokens=False).tokens == ["عام", "2014"]


def test_only_pairs_with_something_new_are_distilled_once_each(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    known = Pair("the coalition", "التحالف", "train/mmlu.tsv.gz")
    new = Pair("the ministers", "وزراء", "train/mmlu.tsv.gz")
    own = Pair("the coalition", "التحالف", "glossary.tsv")
    fresh = set(tokenizer.encode("وزراء", add_special_tokens=False).tokens) - set(
        tokenizer.encode("التحالف", add_special_tokens=False).tokens
    )

    assert with_pieces(tokenizer, [known, new, own, own, new], fresh) == [new, own]


def test_a_new_piece_starts_at_its_translation(folder: Path) -> None:
    rows = pairs(("Rome", "روما"), ("Rome", "روما"), ("york", "يورك"), ("york", "يورك"))
    tokenizer = extend_vocabulary(folder, rows, Recipe(pieces=10))
    words = open_model(folder).embeddings.word_embeddings.weight.detach().numpy()

    new = new_pieces(folder, tokenizer)

    grown = first_vectors(tokenizer, rows, words, new)
    english = [tokenizer.encode(word, add_special_tokens=False).ids for word in ("rome", "york")]

    assert "يورك" in new
    for arabic, ids in zip(("روما", "يورك"), english, strict=True):
        if arabic in new:
            np.testing.assert_allclose(grown[new[arabic]], words[ids].mean(axis=0), atol=1e-5)
    kept = sorted(set(range(len(words))) - set(new.values()))
    np.testing.assert_array_equal(grown[kept], words[kept])


def test_grown_model_keeps_what_it_had(folder: Path) -> None:
    tokenizer = open_tokenizer(folder / "tokenizer.json", 16)
    before = encode(open_model(folder), tokenizer, ["the coalition met in Rome"])
    words = open_model(folder).embeddings.word_embeddings.weight.detach().numpy()
    model = with_words(open_model(folder), np.concatenate([words, np.ones((3, DIMENSION), np.float32)]))

    np.testing.assert_array_equal(encode(model, tokenizer, ["the coalition met in Rome"]), before)
    assert model.embeddings.word_embeddings.weight.shape[0] == tokenizer.get_vocab_size() + 3


# --- losses, worked out by hand


def test_contrast_of_two_orthogonal_pairs() -> None:
    rows = torch.eye(2)

    # Each row scores 1 with its own and 0 with the other: -log(e / (e + 1)) at temperature 1, both ways.
    assert contrast(rows, rows, 1.0).item() == pytest.approx(math.log(1 + math.exp(-1)))


def test_questions_may_share_a_passage() -> None:
    passages, questions = torch.eye(2), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])

    right = math.log(1 + math.exp(-1))
    assert rank_loss(questions, passages, torch.tensor([0, 0, 1]), 1.0).item() == pytest.approx(
        math.log(1 + math.exp(-1))
    )
    # The second question's passage is now the wrong one: log(1 + e).
    worse = (2 * right + math.log(1 + math.e)) / 3
    assert rank_loss(questions, passages, torch.tensor([0, 1, 1]), 1.0).item() == pytest.approx(worse)


def test_padding_does_not_change_a_vector(folder: Path) -> None:
    model, tokenizer = open_model(folder), open_tokenizer(folder / "tokenizer.json", 16)
    alone = embed(model, *pack(tokenizer, ["Rome"]))
    beside = embed(model, *pack(tokenizer, ["Rome", "the army bought twelve drones in May"]))[:1]

    torch.testing.assert_close(alone, beside)
    assert alone.norm().item() == pytest.approx(1)


# --- descent


def test_rates_rise_then_fall() -> None:
    stage = Stage(steps=10, batch=1, embedding_rate=1, body_rate=1, warmup=2, floor=0.25)

    assert [rate_share(step, stage) for step in (0, 1, 5, 9)] == [0.5, 0.9, 0.5, 0.25]


def _train(folder: Path, work: Path, steps: int) -> dict[str, torch.Tensor]:
    model, tokenizer = open_model(folder), open_tokenizer(folder / "tokenizer.json", 16)

    def loss(step: int) -> torch.Tensor:
        if step == steps:
            raise KeyboardInterrupt
        english, arabic = (embed(model, *pack(tokenizer, side)) for side in (["Rome", "drones"], ["روما", "وزراء"]))
        return contrast(english, arabic, 0.5)

    return descend(model, STAGE, loss, work, 5).state_dict()


def test_a_killed_stage_goes_on_to_the_same_weights(folder: Path, tmp_path: Path) -> None:
    whole = _train(folder, tmp_path / "whole", 99)
    with pytest.raises(KeyboardInterrupt):
        _train(folder, tmp_path / "cut", 3)
    assert Checkpoints(tmp_path / "cut").step == 2
    resumed = _train(folder, tmp_path / "cut", 99)

    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor)
    before = open_model(folder).state_dict()
    assert not torch.equal(whole[WORDS], before[WORDS])


def test_average_weighs_checkpoints(tmp_path: Path) -> None:
    save_file({"a": torch.tensor([0.0, 4.0])}, tmp_path / "one.safetensors")
    save_file({"a": torch.tensor([8.0, 0.0])}, tmp_path / "other.safetensors")

    mean = average([tmp_path / "one.safetensors", tmp_path / "other.safetensors"], [0.75, 0.25])
    assert mean["a"].tolist() == [2.0, 3.0]


def test_taught_vectors_are_kept_by_text(folder: Path, tmp_path: Path) -> None:
    model, tokenizer = open_model(folder), open_tokenizer(folder / "tokenizer.json", 16)
    taught = Taught(tmp_path)
    taught.learn(model, tokenizer, ["Rome", "May"])
    taught.learn(model, tokenizer, ["May", "drones"])

    again = Taught(tmp_path).of(["drones", "Rome"])
    np.testing.assert_allclose(again, encode(model, tokenizer, ["drones", "Rome"]), atol=1e-3)
    with pytest.raises(KeyError):
        taught.of(["New York"])


# --- mining and measuring


def test_hard_batches_hold_every_group_once_and_like_beside_like() -> None:
    groups = [Group(source="ours", passages=[{"en": "x"}] * 2, questions=[]) for _ in range(60)]
    distraction = np.full((60, 60), -1.0, np.float32)
    distraction[:30, :30] = distraction[30:, 30:] = 1
    np.fill_diagonal(distraction, -np.inf)

    batches = hard_batches(groups, distraction, 6, np.random.default_rng(0))

    assert sorted(number for batch in batches for number in batch) == list(range(60))
    assert len(batches) == 20
    assert sum(len({number < 30 for number in batch}) == 1 for batch in batches) >= 15


def test_measures_of_ranks_one_three_and_eleven() -> None:
    found = ranks(np.array([[0.9, 0.1], [0.2, 0.1]], np.float32), [0, 1])
    assert found.tolist() == [1, 2]

    figures = measures(np.array([1, 3, 11]))
    # 1/log2(2) = 1, 1/log2(4) = 0.5, nothing beyond ten; 1 + 1/3; one of three.
    assert figures == pytest.approx({"nDCG@10": 50.0, "RR@10": 400 / 9, "R@1": 100 / 3})


# --- all steps


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tiny_run_makes_a_working_model(tmp_path: Path) -> None:
    main(["all", "--tiny", "--work", str(tmp_path)])
    model = SentenceTransformer(str(tmp_path / "model"), device="cpu", model_kwargs={"dtype": torch.float32})
    arabic = model.encode(["اجتمع وزراء الخارجية في روما", "ارتفعت أسعار النفط", "متى سقطت الدولة الفاطمية؟"])
    english = model.encode(["Foreign ministers met in Rome", "Oil prices rose", "When did the Fatimid state fall?"])

    assert (arabic @ english.T).argmax(axis=1).tolist() == [0, 1, 2]
    grown_by = len(model.tokenizer) - len(SentenceTransformer(str(WEIGHTS), device="cpu").tokenizer)
    assert grown_by == 200


def test_unknown_step_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["distil", "--tiny", "--work", str(tmp_path)])

    assert stopped.value.code == 2
    assert "no step distil; there are data, tokenizer" in capsys.readouterr().err
