"""Who plays which persona?  What happens to the people of `personas`, and how they are enrolled."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from bb2.sandbox import illnesses
from bb2.sandbox.claims import Illness


class Role(NamedTuple):
    #: all that happens, whatever number of claims a year a sandbox has
    illnesses: tuple[Illness, ...]
    #: fields of a Beneficiary
    traits: Mapping[str, object] = MappingProxyType({})
    #: claims there are on the day on which the sandbox begins; None: as many as the illnesses cause
    claims: int | None = None
    #: the number of the person who this is too, under another Patient.id
    same_as: int | None = None


_WELL = illnesses.staying_well
_SAME_PERSON = {"given": "Eleanor", "middle": None, "family": "Lindqvist", "gender": "female", "race": "1"}
_SAME_PERSON |= {"born": date(1949, 3, 8), "enrolled": date(2014, 3, 1)}

#: {number of the person: Role}, one for each of PERSONAS.
ROLES = {
    0: Role(
        (
            _WELL,
            illnesses.diabetes_with_insulin,
            illnesses.high_blood_pressure,
            illnesses.lung_disease_to_hospice,
            illnesses.hip_fracture,
            illnesses.pneumonia,
            illnesses.back_pain,
            illnesses.depression,
            illnesses.irregular_heartbeat,
            illnesses.kidney_disease,
            illnesses.sleep_apnea,
            illnesses.low_thyroid,
        )
    ),
    1: Role((_WELL, illnesses.kidney_disease, illnesses.back_pain, illnesses.depression)),
    2: Role((_WELL, illnesses.sleep_apnea, illnesses.lung_disease, illnesses.diabetes)),
    3: Role((_WELL, illnesses.knee_replacement, illnesses.pneumonia, illnesses.brittle_bones)),
    4: Role((_WELL, illnesses.lung_disease_to_hospice)),
    5: Role((_WELL, illnesses.heart_failure, illnesses.pneumonia, illnesses.bowel_cancer)),
    6: Role((_WELL, illnesses.irregular_heartbeat, illnesses.cataracts, illnesses.bowel_cancer)),
    7: Role((_WELL, illnesses.diabetes_with_injections, illnesses.high_blood_pressure, illnesses.low_thyroid)),
    8: Role((_WELL, illnesses.hip_fracture, illnesses.stroke, illnesses.brittle_bones)),
    9: Role((), {"born": date(1961, 10, 17), "enrolled": date(2026, 10, 1)}),
    10: Role((_WELL, illnesses.heart_failure, illnesses.lung_cancer), {"died": date(2026, 3, 12)}),
    11: Role(
        (
            _WELL,
            illnesses.kidney_failure,
            illnesses.diabetes_with_insulin,
            illnesses.high_blood_pressure,
            illnesses.heart_failure,
            illnesses.blood_thinner,
            illnesses.often_ill,
        ),
        {"esrd": True},
        claims=1000,
    ),
    12: Role((_WELL, illnesses.opioid_use_disorder, illnesses.back_pain, illnesses.high_blood_pressure)),
    13: Role((_WELL, illnesses.cataracts), _SAME_PERSON, same_as=14),
    14: Role((_WELL, illnesses.diabetes, illnesses.low_thyroid), _SAME_PERSON),
    15: Role(
        (_WELL, illnesses.high_blood_pressure, illnesses.back_pain),
        {"given": "María José", "middle": None, "family": "D'Ángelo-Núñez", "gender": "female", "race": "5"},
    ),
    16: Role((_WELL, illnesses.diabetes, illnesses.pneumonia), {"advantage": date(2025, 1, 1)}),
    17: Role(
        (_WELL, illnesses.diabetes_with_insulin, illnesses.depression, illnesses.back_pain),
        {"disabled": True, "born": date(1971, 8, 30), "enrolled": date(2019, 4, 1), "medicaid": True},
    ),
    18: Role((_WELL, illnesses.high_blood_pressure, illnesses.back_pain)),
    19: Role(
        (_WELL, illnesses.diabetes, illnesses.low_thyroid),
        {"given": "José", "middle": None, "family": "Muñoz-Rivera", "gender": "male", "race": "5", "language": "es"},
    ),
}
