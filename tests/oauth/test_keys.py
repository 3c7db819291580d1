"""The signing keys: published before they sign, the same for every worker, never half there."""

import json
import stat
import sys
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from sqlalchemy import select

from bb2 import cli
from bb2.db import make_engine, reader
from bb2.models import AuditEvent
from bb2.oauth import keys as signing_keys
from bb2.oauth.id_tokens import ID_TOKEN_LIFETIME
from bb2.oauth.keys import SigningKeyError, SigningKeys
from oauth.steps import another_app, redeem

pytestmark = pytest.mark.either_database

DAY = 86_400
RSA = RSAKey.generate_key(2048).as_dict(private=True)  #: one is enough for all that need any


@pytest.fixture
def folder(tmp_path):
    """A folder with one key of each algorithm, an hour old; the RSA key is as the first release wrote it."""
    folder = tmp_path / "keys"
    folder.mkdir()
    made = int(time.time()) - 3600
    stored = RSA | {"kid": f"{made}-first", "use": "sig", "alg": "RS256"}
    (folder / f"{made}-first.jwk").write_text(json.dumps(stored))
    (made_now,) = signing_keys.ensure_keys(folder)
    move(folder, made_now.kid, -3600)
    return folder


def move(folder, kid, seconds):
    """The key signs from a time that is earlier (a negative number) or later: the clock is moved like this."""
    path = folder / f"{kid}.jwk"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"nbf": stored["nbf"] + seconds}))


def signs(keys, alg="ES256"):
    """The id of the key that signs."""
    return jwt.decode(keys.sign({}, alg), KeySet.import_key_set(keys.jwks())).header["kid"]


def published(keys):
    return {key["kid"] for key in keys.jwks()["keys"]}


def kids(folder, alg="ES256"):
    """The ids of the algorithm's keys, in the order in which they sign: as the files say, which nobody checks here."""
    stored = [json.loads(path.read_text()) for path in folder.glob("*.jwk")]
    ours = [(key.get("nbf", int(key["kid"].partition("-")[0])), key["kid"]) for key in stored if key["alg"] == alg]
    return [kid for _signs_from, kid in sorted(ours)]


@pytest.fixture
def quick(monkeypatch):
    """Workers look at the folder ten times a second."""
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN", 0.1)


def after_a_look():
    time.sleep(signing_keys.LOOK_AGAIN + 0.01)


def test_a_folder_of_the_first_release_gains_an_es256_key_and_keeps_its_own(folder):
    assert [len(kids(folder, alg)) for alg in ("RS256", "ES256")] == [1, 1]
    assert kids(folder, "RS256")[0].endswith("-first")
    assert signing_keys.ensure_keys(folder) == []
    keys = SigningKeys.load(folder)
    assert [signs(keys, alg) for alg in ("RS256", "ES256")] == kids(folder, "RS256") + kids(folder)


def test_a_new_key_is_published_by_every_worker_before_any_signs_with_it(folder, quick):
    workers = [SigningKeys.load(folder), SigningKeys.load(folder)]
    (old,) = kids(folder)
    new = signing_keys.rotate(folder, "ES256", 60).kid
    after_a_look()
    for worker in workers:
        assert {old, new} < published(worker)
        assert signs(worker) == old
    move(folder, new, -60)
    for worker in (SigningKeys.load(folder), SigningKeys.load(folder)):
        assert {old, new} < published(worker)
        assert signs(worker) == new


def test_every_worker_changes_to_the_new_key_when_its_time_comes_and_needs_no_restart(folder, quick):
    worker = SigningKeys.load(folder)
    (old,) = kids(folder)
    new = signing_keys.rotate(folder, "ES256", 2).kid
    seen = set()
    for _ in range(100):
        seen.add((signs(worker), new in published(worker)))
        if (new, True) in seen:
            break
        time.sleep(0.1)
    assert {(old, True), (new, True)} <= seen <= {(old, False), (old, True), (new, True)}


def test_a_retired_key_is_gone_from_every_worker_a_second_later(folder, quick):
    worker = SigningKeys.load(folder)
    (old,) = kids(folder)
    signing_keys.rotate(folder, "ES256", 0)
    signing_keys.retire(folder, old, force=True)
    after_a_look()
    assert old not in published(worker)
    assert [signs(worker)] == kids(folder)


def test_what_the_old_key_signed_is_believed_until_it_is_retired(folder):
    worker = SigningKeys.load(folder)
    (old,) = kids(folder)
    token = worker.sign({"sub": "x", "exp": 1}, "ES256")
    signing_keys.rotate(folder, "ES256", 0)
    assert SigningKeys.load(folder).claims_of(token) == {"sub": "x", "exp": 1}
    signing_keys.retire(folder, old, force=True)
    assert SigningKeys.load(folder).claims_of(token) is None


def test_a_key_is_retired_when_nothing_lives_that_it_signed_and_not_before(folder):
    (old,) = kids(folder)
    with pytest.raises(SigningKeyError, match="the only ES256 key"):
        signing_keys.retire(folder, old, force=True)
    move(folder, old, -DAY)
    new = signing_keys.rotate(folder, "ES256", DAY).kid
    with pytest.raises(SigningKeyError, match="signs id_tokens; --force"):
        signing_keys.retire(folder, old)
    move(folder, new, -DAY - ID_TOKEN_LIFETIME)  # the last token of the old key expires just now, by our clock
    with pytest.raises(SigningKeyError, match=r"has signed id_tokens that live until \d{4}-"):
        signing_keys.retire(folder, old)
    move(folder, new, -signing_keys.CLOCKS_DIFFER - 1)
    signing_keys.retire(folder, old)
    assert kids(folder) == [new]


def test_a_key_that_has_signed_nothing_yet_may_go(folder):
    (old,) = kids(folder)
    new = signing_keys.rotate(folder, "ES256", DAY).kid
    signing_keys.retire(folder, new)
    assert kids(folder) == [old]


def test_there_is_one_next_key_at_a_time(folder):
    signing_keys.rotate(folder, "ES256", DAY)
    with pytest.raises(SigningKeyError, match="has its next key already"):
        signing_keys.rotate(folder, "ES256", DAY)


def test_when_a_stolen_key_is_retired_the_next_signs_at_once_and_can_have_a_next_too(folder):
    (stolen,) = kids(folder)
    second = signing_keys.rotate(folder, "ES256", DAY).kid
    signing_keys.retire(folder, stolen, force=True)
    assert signs(SigningKeys.load(folder)) == second
    third = signing_keys.rotate(folder, "ES256", 60).kid  # though the time is shorter now, it comes after the second
    assert kids(folder) == [second, third]
    assert signs(SigningKeys.load(folder)) == second


def test_key_files_are_for_their_owner_and_no_unfinished_one_is_read(folder):
    signing_keys.rotate(folder, "ES256", DAY)
    (folder / "1-half.part").write_text('{"kty": "EC", "d":')
    for kid in kids(folder):
        assert stat.S_IMODE((folder / f"{kid}.jwk").stat().st_mode) == 0o600
    assert len(published(SigningKeys.load(folder))) == 3
    assert sorted(path.suffix for path in folder.iterdir() if path.name != ".lock") == [".jwk"] * 3 + [".part"]


def test_what_is_published_is_the_public_half_and_nothing_of_ours(folder):
    signing_keys.rotate(folder, "ES256", DAY)
    for key in SigningKeys.load(folder).jwks()["keys"]:
        assert set(key) == {"kty", "kid", "use", "alg"} | ({"n", "e"} if key["kty"] == "RSA" else {"crv", "x", "y"})


EC = ECKey.generate_key("P-256").as_dict(private=True)
NAMED = {"kid": "1-bad", "use": "sig"}


BAD_FILES = (
    "",
    "{",
    "[]",
    "null",
    "\xff",
    json.dumps(NAMED),
    json.dumps(EC | NAMED),
    json.dumps(EC | NAMED | {"alg": "RS256"}),
    json.dumps(EC | NAMED | {"alg": "ES256", "kid": "1-other"}),
    json.dumps(EC | NAMED | {"alg": "ES256", "nbf": "soon"}),
    json.dumps(EC | NAMED | {"alg": "ES256", "nbf": float("inf")}),
    json.dumps(EC | NAMED | {"alg": "ES256"})[:-1] + ', "nbf": 1e400}',
    "[" * 100_000,
    json.dumps(EC | NAMED | {"alg": "ES256", "x": 5}),
    json.dumps({name: EC[name] for name in ("kty", "crv", "x", "y")} | NAMED | {"alg": "ES256"}),
    json.dumps(ECKey.generate_key("P-384").as_dict(private=True) | NAMED | {"alg": "ES256"}),
    json.dumps(RSA | NAMED | {"alg": "RS512"}),
    json.dumps(OctKey.generate_key(256).as_dict(private=True) | NAMED | {"alg": "HS256"}),
)


def test_a_bad_key_file_is_told_by_its_name_and_nothing_that_it_holds(tmp_path):
    for text in BAD_FILES:
        (tmp_path / "1-bad.jwk").write_text(text, encoding="latin-1")
        with pytest.raises(SigningKeyError) as told:
            signing_keys.read_key(tmp_path / "1-bad.jwk")
        assert "/1-bad.jwk is no signing key: it must hold" in str(told.value)
        assert EC["d"] not in str(told.value)
    (tmp_path / "1-folder.jwk").mkdir()
    with pytest.raises(SigningKeyError, match=r"1-folder\.jwk cannot be read: Is a directory"):
        signing_keys.read_key(tmp_path / "1-folder.jwk")


def test_a_bad_key_file_stops_a_start_but_no_server_that_runs(folder, caplog, quick):
    worker, (good,) = SigningKeys.load(folder), kids(folder)
    (folder / "1-bad.jwk").write_text("{")
    with pytest.raises(SigningKeyError, match=r"1-bad\.jwk is no signing key"):
        SigningKeys.load(folder)
    for _ in range(2):
        after_a_look()
        assert signs(worker) == good
        assert len(published(worker)) == 2
    assert len([record for record in caplog.records if "1-bad.jwk" in record.getMessage()]) == 1


def test_without_any_key_the_server_says_what_to_do(tmp_path):
    with pytest.raises(SigningKeyError, match="run `bb2 init`"):
        SigningKeys.load(tmp_path)


# The commands


@pytest.fixture
def bb2(tmp_path, monkeypatch, capsys):
    """A function that runs a command on a state of its own: returns (what it printed, its last words or its status)."""
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("BB2_SANDBOX", "false")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bb2", *arguments])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as end:
            return "".join(capsys.readouterr()), end.code
        return capsys.readouterr().out, 0

    return run


def test_keys_are_rotated_listed_and_retired_by_command(bb2, folder, tmp_path):
    printed, status = bb2("init")
    assert status == 0, printed
    old = {alg: kids(folder, alg)[0] for alg in ("RS256", "ES256")}
    printed, status = bb2("keys", "rotate", "--alg", "ES256")
    assert status == 0
    assert "ES256  is published now, and signs id_tokens from 20" in printed
    (_old, new) = kids(folder)
    assert "has its next key already" in bb2("keys", "rotate", "--alg", "ES256")[1]
    listed = {key["kid"]: key["status"] for key in json.loads(bb2("keys", "list", "--json")[0])}
    assert listed[old["RS256"]] == listed[old["ES256"]] == "signs id_tokens"
    assert listed[new].startswith("is next, and signs id_tokens from ")
    assert all(kid in bb2("keys", "list")[0] for kid in listed)
    assert "there is no signing key nobody" in bb2("keys", "retire", "nobody")[1]
    assert "is the only RS256 key" in bb2("keys", "retire", old["RS256"])[1]
    assert "signs id_tokens; --force" in bb2("keys", "retire", old["ES256"])[1]
    assert bb2("keys", "retire", old["ES256"], "--force")[1] == 0
    assert kids(folder) == [new]
    engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    with reader(engine).connect() as connection:
        trail = connection.execute(select(AuditEvent.event, AuditEvent.details)).all()
    engine.dispose()
    assert [(event, details["kid"]) for event, details in trail if event.startswith("key.")] == [
        ("key.made", new),
        ("key.retired", old["ES256"]),
    ]
    (folder / "1-bad.jwk").write_text("{")
    for command in (("keys", "list"), ("keys", "rotate"), ("init",), ("serve",)):
        assert "1-bad.jwk is no signing key" in bb2(*command)[1]


# The application


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_an_apps_id_tokens_are_signed_as_it_is_registered(server, alg):
    app = another_app(server, id_token_alg=alg)
    token = redeem(app, app.approve(app.consent_page("openid")))["id_token"]
    keys = KeySet.import_key_set(app.get("/.well-known/jwks.json").json)
    read = jwt.decode(token, keys, algorithms=[alg])
    assert read.header["alg"] == alg
    assert keys.get_by_kid(read.header["kid"]).alg == alg


def test_a_rotation_under_a_running_server_keeps_every_id_token_valid(server, folder, monkeypatch, quick):
    monkeypatch.setitem(server.app.registry, "signing_keys", SigningKeys.load(folder))
    app = another_app(server, id_token_alg="ES256")
    first = redeem(app, app.approve(app.consent_page("openid")))
    signing_keys.rotate(folder, "ES256", 1)
    after_a_look()
    in_the_apps_cache = KeySet.import_key_set(app.get("/.well-known/jwks.json").json)
    time.sleep(1.1)
    second = app.refresh(first)
    used = [jwt.decode(token["id_token"], in_the_apps_cache, algorithms=["ES256"]) for token in (first, second)]
    assert [token.header["kid"] for token in used] == kids(folder)
    assert used[0].claims["sub"] == used[1].claims["sub"]


def test_the_keys_may_be_kept_for_an_hour_and_no_longer_than_a_new_one_waits(server):
    assert server.get("/.well-known/jwks.json").headers["Cache-Control"] == "public, max-age=3600"
    assert server.settings.key_publish_seconds > 3600
