"""Does every mail speak both languages, plainly, and can nobody else write in it?"""

import re
from collections import Counter
from datetime import timedelta
from functools import cache

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bb2.notices import ENDING, KINDS, NEW_ADDRESS, OLD_ADDRESS, TEST
from bb2.notices.letters import LONGEST_NAME, NoAddress, app_name
from bb2.settings import Settings
from notices.mails import ADDRESS, made, text, with_address
from reading import grade

ALL_KINDS = {*KINDS.values(), ENDING, NEW_ADDRESS, OLD_ADDRESS, TEST}
VARIANTS = [{}, {"access": "one-time"}, {"expires_at": None}, {"revoked_by": "client"}, {"revoked_by": "server"}]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_every_mail_speaks_both_languages_and_names_a_way_to_act(kind, language):
    mail = made(kind, language)
    assert mail["Content-Language"] == language
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail["From"], mail["Date"].datetime.utcoffset()) == ("Blue Button <no-reply@bb2.example>", timedelta(0))
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert f'<html lang="{language}">' in text(mail, "html")
    if kind != TEST:
        assert "https://bb2.example/" in text(mail) or kind == OLD_ADDRESS
        assert "1-800-633-4227" in text(mail)
    sentences = {sentence for sentence in text(mail).splitlines() if sentence}
    shown = re.sub(r"<[^>]+>", "", text(mail, "html"))
    assert all(sentence in shown for sentence in sentences)
    other = made(kind, "es" if language == "en" else "en")
    assert mail["Subject"] != other["Subject"]
    assert {line for line in sentences & set(text(other).splitlines()) if not line.startswith("https:")} == set()
    assert not re.search(r"%\(|\{\{|None|@connection|@account", mail["Subject"] + text(mail))


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_every_mail_is_easy_to_read(kind):
    for facts in VARIANTS if kind in ("connected", "disconnected") else [{}]:
        words = re.sub(r"https\S+", "", text(made(kind, **facts)))
        assert grade(words) <= 8, (grade(words), words)


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_no_mail_has_a_picture_a_script_a_style_or_anything_from_elsewhere(kind):
    html = text(made(kind), "html")
    assert not re.search(r"<(img|script|style|link|iframe)|style=|src=", html)
    assert set(re.findall(r'href="(.*?)"', html)) <= {
        "https://bb2.example/connections/7",
        "https://bb2.example/connections",
        "https://bb2.example/account",
    }


PROVIDER = {
    "bb2.identity": "oidc",
    "bb2.oidc_issuer": "https://id.example",
    "bb2.oidc_client_id": "bb2",
    "bb2.oidc_client_secret": "secret",
    "bb2.oidc_claim": "patient",
    "bb2.base_url": "https://bb2.example",
    "bb2.scopes": "bb2:openid",
}


@pytest.mark.parametrize("kind", sorted(ALL_KINDS - {TEST}))
def test_where_people_sign_in_elsewhere_no_mail_leads_to_an_account_here(kind):
    words = text(made(kind, settings=Settings.read(PROVIDER, {})))
    assert "/account" not in words
    assert "https://bb2.example/connections" in words or kind == NEW_ADDRESS
    assert "You can change the address at id.example." in words or kind == OLD_ADDRESS
    assert grade(re.sub(r"https\S+", "", words)) <= 8


#: What an app may be called by whoever wants to write a header, a link or another name.
NASTY = [
    "\r\nBcc: x@evil.example",
    "\n\n@account\n\n",
    "\u202egro.elpmaxe",
    "=?utf-8?q?a=0d=0aBcc:_x@evil.example?=",
    "<b>&",
    "\u2028<",
    "{{ site }} %(day)s",
]


@cache
def plain_mail():
    return made("connected")


@hypothesis.settings(max_examples=25, deadline=None)
@given(name=st.lists(st.one_of(st.text(max_size=20), st.sampled_from(NASTY)), max_size=4).map("".join))
def test_no_name_of_an_app_writes_a_header_or_markup_of_its_own(name):
    mail, plain = made("connected", app=name), plain_mail()
    assert Counter(mail.keys()) == Counter(plain.keys())
    assert mail["To"] == ADDRESS
    # (Where Python folds a long header, it is not exact about spaces.)
    subject, expected = mail["Subject"], f"{app_name(name) or 'app'} can now get your Medicare information"
    assert "".join(subject.split()) == "".join(expected.split())
    assert re.findall(r"<(\w+)", text(mail, "html")) == re.findall(r"<(\w+)", text(plain, "html"))
    shown = app_name(name)
    assert len(shown) <= LONGEST_NAME
    assert shown.isprintable() or not shown.isascii()
    assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", mail["Subject"] + text(mail))


@pytest.mark.parametrize(
    "address", ["", "alice", "a@b, c@d", "a@b\r\nBcc: c@d", "Alice <a@b>", "a@b>", "a @b", "@b", "a@", "<a@b>"]
)
def test_what_is_not_one_address_gets_no_mail(address):
    with pytest.raises(NoAddress):
        made("connected", address=address)


def test_a_person_without_a_language_is_written_to_in_english(one_server):
    one_server.grant()
    assert one_server.mails()[0]["Content-Language"] == "en"
    with_address(one_server, language="es")
    one_server.grant()
    assert one_server.mails()[0]["Subject"] == "The App ya puede obtener su información de Medicare"
