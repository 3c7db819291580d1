"""The key that all workers share is made once, for its owner only, and never in part."""

import stat

import pytest

from bb2.oauth import own_key
from bb2.oauth.own_key import OwnKeyError, derived, derived_text, ensure_own_key
from notices.mails import at_once


@pytest.fixture(autouse=True)
def other_processes():
    """Each call reads the file anew, as another process would."""
    ensure_own_key.cache_clear()
    yield
    ensure_own_key.cache_clear()


def test_workers_that_make_it_at_once_have_one_and_the_same(tmp_path):
    keys = at_once(lambda: ensure_own_key.__wrapped__(tmp_path / "keys"), 8)
    assert len(set(keys)) == 1
    (file,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == keys[0]


def test_it_stays_and_what_follows_from_it_differs_by_purpose(tmp_path):
    first = derived_text(tmp_path, "link 1")
    ensure_own_key.cache_clear()
    assert derived_text(tmp_path, "link 1") == first != derived_text(tmp_path, "link 2")
    assert len(derived(tmp_path, "totp")) == 32


def test_a_file_that_is_no_key_is_told_and_not_replaced(tmp_path):
    file = tmp_path / own_key.NAME
    file.write_bytes(b"short")
    with pytest.raises(OwnKeyError, match="put the right file back"):
        ensure_own_key(tmp_path)
    assert file.read_bytes() == b"short"
