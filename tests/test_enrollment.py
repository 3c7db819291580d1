"""Passwords, secret answers, Medicare numbers and names: what counts of them, however people type them."""

import pytest

from bb2.identity import questions
from bb2.identity.cards import family_name, medicare_number
from bb2.identity.enrollment import is_username
from bb2.identity.passwords import why_refused


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Passw0rd!",
        "12345678",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "iloveyou2",
        "Medicare1",
        "ilovegod",
        "maria1950",
    ],
)
def test_a_password_that_many_people_have_is_refused(password):
    assert "easy to guess" in why_refused(password)


@pytest.mark.parametrize(
    "password", ["marigold tea 7", "perro gato luna", "kq7#fjw2", "ñandú 日本 é", "seven paper boats " * 50]
)
def test_a_password_of_any_characters_will_do_where_it_is_hard_to_guess(password):
    assert why_refused(password, "marigold", "1SG4TE5MK73") is None


def test_a_password_is_not_what_others_know_of_the_person():
    for password in ("carolblue1", "CAROLBLUE", "eulblorac", "1sg4te5mk73", "1SG4-TE5-MK73", "c4rolblu3"):
        assert why_refused(password, "CarolBlue", "1SG4-TE5-MK73", None, "") is not None, password
        assert why_refused("marigold tea 7 " + password, "CarolBlue", "1SG4-TE5-MK73") is None


def test_a_password_has_a_length():
    assert why_refused("1q#Z9&k").mapping == {"least": 8}
    assert why_refused("abc" * 400).mapping == {"most": 1000}


def test_an_answer_counts_however_it_is_written():
    kept = questions.answer_hash("  St. José, 5th ")
    assert kept.startswith("$argon2id$")
    for answer in ("st jose 5th", "ST. JOSE 5TH", "stjosé5th"):
        assert questions.is_answer(kept, answer)
    for hashed, answer in ((kept, "st jose"), (kept, ""), (None, "st jose 5th")):
        assert not questions.is_answer(hashed, answer)
    assert questions.is_answer(questions.published_answer_hash("Answer00001"), "answer 00001")
    assert [questions.is_long_enough(answer) for answer in ("Rex", "R x", "日本語", "…!?")] == [
        True,
        False,
        True,
        False,
    ]


def test_an_answer_of_any_length_is_its_own():
    long = "ﷺ " * 1000
    assert questions.is_answer(questions.answer_hash(long), long)


@pytest.mark.parametrize("typed", ["1EG4-TE5-MK73", "1eg4te5mk73", " 1EG4 TE5 MK73", "lEG4–TE5–MK73", "１EG4TE5MK73"])
def test_a_medicare_number_counts_however_it_is_written(typed):
    assert medicare_number(typed) == "1EG4TE5MK73"


@pytest.mark.parametrize("typed", ["", "123-45-6789A", "1EG4TE5MK7", "1EG4TE5MK733", "0EG4TE5MK73", "1EG4TE5MK7\x00"])
def test_what_is_no_medicare_number_is_none(typed):
    assert medicare_number(typed) is None


@pytest.mark.parametrize(
    ("typed", "as_kept"),
    [
        ("nunez ohara", "Núñez-O’Hara"),
        ("De La Cruz", "DELACRUZ"),
        ("Smith Jr.", "Smith"),
        ("SMITH", "Smith, III"),
        ("kamehameha", "Kamehameha"),
        ("kahoomano", "Kaʻoʻhomano".replace("ʻoʻh", "ʻhʻo")),
        ("Straße", "STRASSE"),
    ],
)
def test_a_name_counts_however_it_is_written(typed, as_kept):
    assert family_name(typed) == family_name(as_kept) != ""


def test_a_name_of_a_suffix_alone_is_a_name():
    assert family_name("V") == "v"
    assert family_name("Doe") != family_name("Doe Roe")
    assert family_name("123 --") == ""


def test_a_user_name_is_no_number_by_which_others_know_a_person():
    good, bad = ("carol1", "CAROL.BLUE", "a-b_c.7", "x" * 64), ("carol", "x" * 65, "carol blue", "josé12", "123456")
    assert [name for name in good if not is_username(name)] == []
    private = ("a@b.example", "1EG4TE5MK73", "my-1eg4-te5-mk73", "123-45-6789", "123456789a", "c_123.45.6789")
    assert [name for name in bad + private if is_username(name)] == []
