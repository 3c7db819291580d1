"""Which of the synthetic people does a developer go to, to see one thing or another?

Personas are the first people of every sandbox.  They are the same whatever a sandbox's years and claims per year are.
"""

from typing import NamedTuple

from pyramid.i18n import TranslationStringFactory

from bb2.sandbox.identifiers import password_of, username_of

_ = TranslationStringFactory("bb2")


class Persona(NamedTuple):
    #: the person: BBUser00000 is number 0
    number: int
    #: what is to be seen here, in English
    shows: str
    #: the number of the person whose record this one was merged into (`bb2 beneficiary merge`); None for the others
    merged_into: int | None = None
    #: False: the person has yet to make an account, with what stands on their card
    has_account: bool = True

    @property
    def username(self) -> str:
        return username_of(self.number)

    @property
    def password(self) -> str | None:
        return password_of(self.number) if self.has_account else None


#: {name: Persona}, in the order of their numbers, from 0 on without a gap.
PERSONAS = {
    "everything": Persona(0, _("Every type of claim, over four years and several pages")),
    "carrier": Persona(1, _("Claims of doctors, therapists and laboratories (carrier)")),
    "dme": Persona(2, _("Claims for equipment: oxygen, a breathing device, test strips (dme)")),
    "hha": Persona(3, _("Claims for nursing and therapy at home (hha)")),
    "hospice": Persona(4, _("Claims of a hospice, by the month (hospice)")),
    "inpatient": Persona(5, _("Claims for hospital stays (inpatient)")),
    "outpatient": Persona(6, _("Claims for hospital care without a stay (outpatient)")),
    "pde": Persona(7, _("Prescriptions and their refills under Part D (pde)")),
    "snf": Persona(8, _("A claim of a skilled nursing facility, after a hospital stay (snf)")),
    "nothing": Persona(9, _("New in Medicare: a Patient and Coverage, and no claims yet")),
    "deceased": Persona(10, _("Died, after cancer and hospice: a date of death, and coverage that ended")),
    "thousand": Persona(11, _("1,000 claims, for paging: dialysis, and many medicines")),
    "substance-use": Persona(12, _("Treatment of opioid use disorder, among other claims (42 CFR Part 2)")),
    "merged": Persona(13, _("A record that was merged into another: its sign-in is closed"), merged_into=14),
    "merged-into": Persona(14, _("The record of the same person that stays")),
    "accents": Persona(15, _("A name with accents, an apostrophe and a hyphen")),
    "advantage": Persona(16, _("In a Medicare Advantage plan: claims of the time before, and drugs")),
    "dual": Persona(17, _("Medicare and Medicaid, entitled by disability before 65")),
    "newcomer": Persona(18, _("No account yet: make one with the Medicare card"), has_account=False),
    "newcomer-accents": Persona(19, _("No account yet, and a name with an accent and a hyphen"), has_account=False),
}
#: The numbers of the people who begin without an account.
NEWCOMERS = frozenset(persona.number for persona in PERSONAS.values() if not persona.has_account)
