"""What are the pretend beneficiaries called?"""

from typing import NamedTuple


class Community(NamedTuple):
    """Names that are heard together, and the race code that enrolment data most often has beside them."""

    race: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]


#: No name here may be a word that claims use (a drug, a doctor): claims must not name the beneficiary, and a
#: test looks for every name in them.
COMMUNITIES: tuple[tuple[int, Community], ...] = (
    (
        10,
        Community(
            "1",
            (
                "Barbara",
                "Dorothy",
                "Eleanor",
                "Judith",
                "Kathleen",
                "Marjorie",
                "Nancy",
                "Phyllis",
                "Siobhán",
            ),
            ("Arthur", "Douglas", "Eugene", "Gerald", "Kenneth", "Lawrence", "Raymond", "Walter", "Zbigniew"),
            (
                "Abernathy",
                "D'Angelo",
                "Hutchinson",
                "Kowalczyk",
                "Lindqvist",
                "McAllister",
                "Müller",
                "O'Brien",
                "Papadopoulos",
                "Thompson",
                "Van der Berg",
                "Whitaker",
            ),
        ),
    ),
    (
        4,
        Community(
            "2",
            ("Beverly", "Claudette", "Earline", "Gwendolyn", "Loretta", "Odessa", "Wilhelmina"),
            ("Alphonso", "Booker", "Clarence", "Cornelius", "Leroy", "Roosevelt", "Thaddeus"),
            ("Baptiste", "Broussard", "Gaines", "Jefferson", "Okafor", "Pettigrew", "Washington"),
        ),
    ),
    (
        4,
        Community(
            "5",
            ("Concepción", "Esperanza", "Guadalupe", "Inés", "María José", "Rosario", "Yolanda"),
            ("Alejandro", "Arturo", "Ernesto", "Joaquín", "José", "Ramón", "Raúl"),
            ("Castañeda", "de la Cruz", "Gutiérrez", "Ibáñez", "Núñez", "Peña", "Zaragoza"),
        ),
    ),
    (
        3,
        Community(
            "4",
            ("Hye-jin", "Lakshmi", "Lourdes", "Mei-ling", "Setsuko", "Thùy"),
            ("Benigno", "Chun-wei", "Hiroshi", "Rajesh", "Sanjay", "Tuấn"),
            ("Chaudhuri", "Dela Cruz", "Huang", "Nguyễn", "Sakamoto", "Subramanian", "Yoon"),
        ),
    ),
    (
        1,
        Community(
            "6",
            ("Doli", "Nizhoni", "Winona", "Yanaba"),
            ("Ahiga", "Elias", "Hosteen", "Wilson"),
            ("Begay", "Benally", "Tsosie", "Yazzie", "Yellowhorse"),
        ),
    ),
    (
        1,
        Community(
            "4",
            ("Iolana", "Leilani", "Malia", "Noelani"),
            ("Kaleo", "Keoni", "Kimo", "Nalani"),
            ("Akana", "Kahananui", "Kealoha", "Mahoe", "Nakamura"),
        ),
    ),
)

STREETS = ("Beech St", "Chestnut Ave", "Hawthorn Ln", "Juniper Rd", "Magnolia Ct", "Spruce Way", "Sycamore Dr")

#: Letters that stand alone as a code in no claim, so that a middle initial never seems to be in one.
MIDDLE_INITIALS = "EHJKQTU"
