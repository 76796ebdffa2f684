"""A journal of its own for every test, as in the journal's own tests."""

from tests.journal.conftest import path, store, url

__all__ = ["path", "store", "url"]
