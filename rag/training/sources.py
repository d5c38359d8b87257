"""The parallel texts and their licences: what is read, how much of it, how often.

Everything that trains is under an open licence; the development sets are in no row here.
"""

from dataclasses import dataclass

_ALL = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of pairs `english<TAB>arabic` under `train/` or `ours/`."""

    name: str
    licence: str
    what: str
    most: int = _ALL
    repeat: int = 1
    general: bool = True
    """Whether its words are those of general writing, and worth pieces of their own."""


PAIRS = (
    Source(name="train/mmlu.tsv.gz", licence="Apache-2.0 / MIT", what="AceGPT's Arabic MMLU"),
    Source(name="train/mnli.tsv.gz", licence="BSD-3-Clause", what="MNLI in Arabic (XNLI extension)", most=24_000),
    Source(name="train/mkqa.tsv.gz", licence="CC BY-SA 3.0", what="MKQA questions", repeat=2),
    Source(name="train/tatoeba.tsv.gz", licence="CC BY 2.0 FR", what="Tatoeba sentences"),
    Source(name="train/un_sdg.tsv.gz", licence="MIT", what="UN SDG texts", repeat=2),
    Source(name="train/opensource_guide.tsv.gz", licence="CC BY 4.0", what="opensource.guide", repeat=2, general=False),
    Source(name="train/ethereum_org.tsv.gz", licence="MIT", what="ethereum.org", general=False),
    Source(name="train/misc_guides.tsv.gz", licence="MIT", what="guides"),
    Source(name="train/bible.tsv.gz", licence="public domain", what="Smith-Van Dyck and King James", most=7_000),
    Source(name="train/quran.tsv.gz", licence="CC BY-SA 4.0", what="the Quran with a translation", most=3_000),
    Source(
        name="train/ms_dynamics_docs.tsv.gz",
        licence="CC BY 4.0",
        what="Dynamics 365 manuals",
        most=14_000,
        general=False,
    ),
    Source(
        name="train/ms_office_docs.tsv.gz", licence="CC BY 4.0", what="Office support notes", most=3_000, general=False
    ),
    Source(
        name="train/ms_beginners_docs.tsv.gz", licence="MIT", what="'for beginners' courses", most=7_000, general=False
    ),
    Source(
        name="train/milvus_docs_blog.tsv.gz",
        licence="Apache-2.0",
        what="Milvus documentation",
        most=5_000,
        general=False,
    ),
    Source(name="train/wordnet_lexicon.tsv.gz", licence="CC BY-SA 3.0", what="Arabic WordNet, Wiktionary, CLDR"),
    Source(name="ours/lexicon_news.tsv", licence="CC BY 4.0", what="our glosses of news words"),
    Source(name="ours/pairs_news.tsv", licence="CC BY 4.0", what="our sentences: news", repeat=2),
    Source(name="ours/pairs_politics.tsv", licence="CC BY 4.0", what="our sentences: politics", repeat=2),
    Source(name="ours/pairs_economy.tsv", licence="CC BY 4.0", what="our sentences: economy", repeat=2),
    Source(name="ours/pairs_society.tsv", licence="CC BY 4.0", what="our sentences: society", repeat=2),
)
"""Parallel text outside the project."""

OWN_PAIRS = (
    Source(name="glossary.tsv", licence="CC BY 4.0", what="our names, terms and word forms", repeat=3),
    Source(name="sentences.tsv", licence="CC BY 4.0", what="our news sentences", repeat=2),
)
"""Parallel text of the project, beside this file."""
