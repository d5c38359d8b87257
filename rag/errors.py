"""The family of errors. Raised where known, caught once at the edge, shown as one line."""


class RagError(Exception):
    """Something a user can act on. `str(error)` is one line: what, which value, what to do."""

    exit_status = 1


class UsageError(RagError):
    """A wrong argument: empty question, unknown option value, malformed batch line."""

    exit_status = 2


class SettingsError(UsageError):
    """A setting that cannot be used."""


class ArticleError(RagError):
    """An article, or a whole folder of them, that cannot be read."""


class ModelError(RagError):
    """The embedding model cannot be loaded, or gives vectors that cannot be used."""


class IndexMissing(RagError):
    """There is no index where one was expected."""


class IndexStale(RagError):
    """The index was built from other articles, settings or weights than the present ones."""


class IndexCorrupt(RagError):
    """A file of the index is not the one that was written."""


class IndexBusy(RagError):
    """Another build holds the index."""


class IndexUnwritable(RagError):
    """The index cannot be saved (permissions, disk full); the one that was there still answers."""
