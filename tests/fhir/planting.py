"""Who is the person of a Patient record, and where in another record could that stand?  FHIR allows many places.

A plan is [(plant, place, form)]: which of PLANTS, at which object of the record, in which of its forms.  It names no
person, so the same plan plants one person's values or another's, in the very same places.
"""

import copy
from dataclasses import dataclass

VARIABLE = "https://bluebutton.cms.gov/resources/variables/"
CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
C4BB_INFORMATION = "http://hl7.org/fhir/us/carin-bb/CodeSystem/C4BBSupportingInfoType"
MBI = "http://hl7.org/fhir/sid/us-mbi"


@dataclass(frozen=True)
class Who:
    """What a Patient record says of a person."""

    given: str
    family: str
    line: str
    city: str
    state: str
    zip: str
    born: str  #: YYYY-MM-DD
    died: str
    sex: str  #: of administrative-gender
    race: str  #: CMS's code
    number: str  #: of Medicare
    numbers: tuple = ()  #: every other

    @property
    def name(self):
        return f"{self.given} {self.family}"

    @property
    def telling(self):
        """Values that nothing else in a record has: a name, a number, a birth date, a street."""
        return {self.name, f"{self.family}, {self.given}", self.number, self.born, self.line} - {""}

    def another(self):
        """Somebody who is different in everything."""
        return Who(
            given="Zebulon" if self.given != "Zebulon" else "Ygraine",
            family="Quux-Ångström",
            line="77 Nowhere Lane",
            city="Elsewhere",
            state="WY" if self.state != "WY" else "UT",
            zip="82001" if self.zip != "82001" else "84101",
            born="1919-02-03",
            died="2025-12-31" if self.died != "2025-12-31" else "2025-12-30",
            sex="male" if self.sex != "male" else "female",
            race="6" if self.race != "6" else "5",
            number="9ZZ9ZZ9ZZ99",
            numbers=("-another-",),
        )


def who_is(patient):
    """The Who of a Patient record (a dict); what it does not say is made up."""
    name, address = patient["name"][0], (patient.get("address") or [{}])[0]
    race = [e["valueCoding"]["code"] for e in patient.get("extension", ()) if e["url"] == f"{VARIABLE}race"]
    values = [identifier["value"] for identifier in patient["identifier"] if identifier.get("value") != patient["id"]]
    number = next((value for value in values if len(value) == 11), "1S00E00AA00")
    return Who(
        given=" ".join(name["given"]),
        family=name["family"],
        line=" ".join(address.get("line", ["1600 Somewhere Street"])),
        city=address.get("city", "Springfield"),
        state=address.get("state", "IL"),
        zip=address.get("postalCode", "62701"),
        born=patient["birthDate"],
        died=patient.get("deceasedDateTime", "2023-07-19")[:10],
        sex=patient["gender"],
        race=race[0] if race else "1",
        number=number,
        numbers=tuple(values),
    )


def human_name(who):
    return {"use": "usual", "text": who.name, "family": who.family, "given": [who.given]}


def address(who):
    return {"line": [who.line], "city": who.city, "state": who.state, "postalCode": who.zip, "text": who.line}


def spelled(who, form):
    """A Medicare number as people write it."""
    n = who.number
    parts = n[:4], n[4:7], n[7:]
    return [n, "-".join(parts), " ".join(parts), n.lower(), "\u2011".join(parts), f"MBI: {n}.", f"({n})"][form % 7]


def number(who, form):
    """An Identifier that says by one of its elements that it is the person's."""
    return [
        {"system": MBI, "value": who.family},
        {"system": "https://bluebutton.cms.gov/resources/identifier/mbi-hash", "value": who.family},
        {"system": "https://e.org/medicare-number", "value": who.family},
        {"system": "https://e.org/odd", "value": spelled(who, form)},
        {"type": {"coding": [{"system": V2_0203, "code": "MC"}]}, "value": who.family},
        {"type": {"text": "Medicare number"}, "value": who.family},
        {"type": {"coding": [{"display": "Patient's Medicare number"}]}, "value": who.family},
        {"value": spelled(who, form)},
    ][form % 8]


def extension(who, form):
    """An Extension that says who the person is."""
    odd, known = "https://e.org/x", f"{VARIABLE}nch_near_line_rec_ident_cd"
    url = (odd, known)[form % 2]
    return [
        {"url": url, "valueHumanName": human_name(who)},
        {"url": url, "valueAddress": address(who)},
        {"url": url, "valueContactPoint": {"system": "phone", "value": who.zip}},
        {"url": url, "valueString": who.name},
        {"url": url, "_valueHumanName": {"extension": [{"url": known, "valueCode": who.sex}]}},
        {"url": url, "valueAttachment": {"title": who.name}},
        {"url": url, "valueAnnotation": {"authorString": who.name, "text": who.line}},
        {"url": url, "valueReference": {"reference": "Organization/1", "display": who.name}},
        {"url": url, "valueReference": {"identifier": number(who, form), "display": who.name}},
        {"url": url, "valueIdentifier": number(who, form // 2)},
        {"url": url, "extension": [{"url": f"{CORE}us-core-race", "valueString": who.race}]},
        {"url": odd, "valueDate": who.born},
        {"url": odd, "valueCode": who.sex},
        {"url": odd, "extension": [{"url": "born", "valueDate": who.born}]},
        *(
            {"url": f"{VARIABLE}{name}", "valueCoding": {"system": f"{VARIABLE}{name}", "code": code}}
            for name, code in (
                *(("race", who.race), ("bene_race_cd", who.race), ("gndr_cd", who.sex), ("sex", who.sex)),
                *(("bene_state_cd", who.state), ("bene_mlg_cntct_zip_cd", who.zip), ("state_code", who.state)),
            )
        ),
        *(
            {"url": f"{VARIABLE}{name}", "valueDate": date}
            for name, date in (("dob_dt", who.born), ("death_dt", who.died))
        ),
        {"url": f"{CORE}us-core-birthsex", "valueCode": who.sex},
        {"url": f"{CORE}us-core-ethnicity", "extension": [{"url": "text", "valueString": who.race}]},
        {"url": f"{HL7}patient-birthPlace", "valueAddress": address(who)},
        {"url": f"{HL7}patient-mothersMaidenName", "valueString": who.family},
        {"url": f"{HL7}geolocation", "extension": [{"url": "latitude", "valueDecimal": who.zip}]},
        {"url": f"{HL7}humanname-own-name", "valueString": who.family},
    ][form % 29]


def _append(element, key, value):
    listed = element.get(key)
    element[key] = [*listed, value] if isinstance(listed, list) else [value]


def extend(record, place, who, form):
    _append(place, ("extension", "modifierExtension")[form % 7 == 6], extension(who, form))


def extend_a_plain_value(record, place, who, form):
    plain = [key for key, value in place.items() if isinstance(value, str)] or ["status"]
    beside = {} if form % 2 else {"display": who.name}
    place[f"_{plain[form % len(plain)]}"] = {"extension": [extension(who, form)]} | beside


def extend_a_reference(record, place, who, form):
    record["_patient"] = {"extension": [extension(who, form)], "display": who.name}


def name_whom_it_refers_to(record, place, who, form):
    owner = "patient" if "patient" in record else "beneficiary"
    reference = record[owner]
    record[owner] = (
        reference
        | [
            {"display": who.name},
            {"identifier": number(who, form)},
            {"_display": {"extension": [extension(who, form)]}},
            {"reference": f"{reference['reference']}/_history/3", "display": who.name},
        ][form % 4]
    )


def refer(record, place, who, form):
    """A reference to somebody or something of theirs, under a key where FHIR has one."""
    key = ["subscriber", "policyHolder", "party", "author", "enterer", "locationReference", "subject", "account"][
        form % 8
    ]
    place[key] = [
        {"display": who.name},
        {"reference": "RelatedPerson/1", "display": who.name},
        {"type": "Patient", "identifier": number(who, form)},
        {"type": "Person", "display": who.name},
        {"reference": "Location/home", "display": who.line},
        {"reference": "Account/1", "display": who.name},
        {"reference": "Group/1", "display": who.family},
        {"reference": f"Patient?name={who.family}"},
        {"reference": f"https://e.org/fhir/Patient/1/_history/{form}", "display": who.name},
    ][form // 8 % 9]


def contain(record, place, who, form):
    """A record in the record, about a person or a home, and something that refers to it by its name."""
    inner = [
        {"resourceType": "Patient", "name": [human_name(who)], "gender": who.sex},
        {"resourceType": "RelatedPerson", "name": [human_name(who)], "birthDate": who.born},
        {"resourceType": "Person", "address": [address(who)]},
        {"resourceType": "Location", "name": f"Home of {who.name}", "address": address(who)},
        {"resourceType": "Location", "position": {"longitude": who.zip, "latitude": 1}},
        {"resourceType": "Account", "name": who.name},
        {"resourceType": "Group", "name": who.family, "member": [{"entity": {"display": who.name}}]},
        {"name": [human_name(who)], "birthDate": who.born},
        {"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": "21112-8"}]}}
        | {"valueDateTime": who.born},
        {"resourceType": "Observation", "subject": {"display": who.name}, "note": [{"authorString": who.name}]},
        {"resourceType": "Basic", "code": {"text": who.name}},
        {"resourceType": "Organization", "text": {"status": "generated", "div": f"<div>{who.name}</div>"}},
        {"resourceType": "Coverage", "subscriberId": who.number, "subscriber": {"display": who.name}},
    ][form % 13]
    _append(record, "contained", inner | {"id": "planted"})
    if form // 13 % 2:
        key = ("locationReference", "insurer", "payee")[form // 26 % 3]
        record[key] = {"reference": "#planted", "display": who.name if form % 13 < 8 else "An office"}


def narrate(record, place, who, form):
    record["text"] = {"status": "generated", "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{who.name}</div>"}


def number_it(record, place, who, form):
    """An identifier of the record, or of whatever stands at the place."""
    element = (record, place)[form % 2]
    _append(element, "identifier", number(who, form // 2))


def inform(record, place, who, form):
    """Supporting information (R4) or information (STU3)."""
    told = [
        {"category": {"coding": [{"code": "info"}]}, "valueString": who.name},
        {"category": {"coding": [{"code": "info"}]}, "_valueString": {"extension": [extension(who, form)]}},
        {"category": {"coding": [{"system": C4BB_INFORMATION, "code": "medicalrecordnumber"}]}, "valueString": who.zip},
        {"category": {"coding": [{"system": f"{VARIABLE}race", "code": who.race}]}},
        {"code": {"coding": [{"system": f"{VARIABLE}gndr_cd", "code": who.sex}]}},
        {"category": {"coding": [{"code": f"{VARIABLE}dob_dt"}]}, "timingDate": who.born},
        {
            "category": {
                "coding": [
                    {"system": "https://bluebutton.cms.gov/resources/codesystem/information", "code": "death_dt"}
                ]
            },
            "timingDate": who.died,
        },
        {"code": {"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": who.sex}]}},
        {"category": {"coding": [{"code": "info"}]}, "valueReference": {"reference": "Basic/1", "display": who.name}},
        {"category": {"coding": [{"code": "attachment"}]}, "valueAttachment": {"title": who.name}},
        {
            "code": {
                "coding": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": {"female": "248152002"}.get(who.sex, "248153007"),
                    }
                ]
            }
        },
    ][form % 11]
    _append(record, ("supportingInfo", "information")[form // 11 % 2], {"sequence": 99} | told)


def locate(record, place, who, form):
    """Where care was given: at home."""
    key = ("locationAddress", "address")[form % 2]
    place[key] = address(who) if key == "address" else {k: v for k, v in address(who).items() if k != "state"}


def write_down(record, place, who, form):
    """What people write: notes, printed forms, labels of where a record comes from."""
    if form % 6 == 0:
        _append(record, "processNote", {"number": 1, "text": f"Dear {who.name}"})
    elif form % 6 == 1:
        _append(place, "note", {"authorString": who.name, "text": who.line})
    elif form % 6 == 2:
        record["meta"] = record.get("meta", {}) | {"source": f"urn:{who.family}"}
    elif form % 6 == 3:
        record["meta"] = record.get("meta", {}) | {"tag": [{"system": "https://e.org/tags", "code": who.family}]}
    elif form % 6 == 4:
        place.update(telecom=[{"value": who.zip}], contact=[{"name": human_name(who)}], photo=[{"title": who.name}])
    else:
        place.update(name=[human_name(who)], gender=who.sex, birthDate=who.born, deceasedDateTime=who.died)


def write_the_number(record, place, who, form):
    """A Medicare number in any words."""
    key = ("display", "text", "disposition", "description", "value")[form % 5]
    place[key] = spelled(who, form // 5)


PLANTS = (
    *(extend, extend_a_plain_value, extend_a_reference, name_whom_it_refers_to, refer, contain, narrate),
    *(number_it, inform, locate, write_down, write_the_number),
)
MOST_FORMS = 29 * 8 * 7 * 3  #: a number below it chooses any form of any plant


def planted(record, plan, who):
    """A copy of a record with a person's values at the places of a plan."""
    record = copy.deepcopy(record)
    for plant, place, form in plan:
        places = [*_objects(record)]
        PLANTS[plant](record, places[place % len(places)], who, form)
    return record


def _objects(element):
    """The record, and each object in it where FHIR allows an extension."""
    yield element
    for key, value in element.items():
        if key not in ("meta", "text", "contained", "extension", "modifierExtension") and not key.startswith("_"):
            for member in value if isinstance(value, list) else [value]:
                if isinstance(member, dict):
                    yield from _objects(member)
