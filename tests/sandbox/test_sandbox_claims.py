"""What the claims say: amounts that add up, dates in order, the same in both versions, nobody's name."""

import json
import re
from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from checks import V, claim_amounts, coding, kind, line_amounts, paid, texts

from bb2.sandbox import AS_OF, PERSONAS, people
from bb2.sandbox.codes import SERVICES
from bb2.sandbox.identifiers import claim_number
from bb2.sandbox.names import COMMUNITIES
from bb2.sandbox.people import beneficiary, claims_of
from bb2.sandbox.places import REGIONS

pytestmark = pytest.mark.long

EIGHT = {"carrier", "dme", "hha", "hospice", "inpatient", "outpatient", "pde", "snf"}


def test_each_type_of_claim_has_a_persona_who_shows_it(claims):
    types = defaultdict(set)
    for _, person, claim in claims:
        types[person.number].add(kind(claim))
    for name in EIGHT:
        assert name in types[PERSONAS[name].number]


def test_the_first_person_shows_all_eight_types_on_several_pages(claims):
    first = [kind(claim) for version, person, claim in claims if version == "v2" and person.number == 0]
    assert set(first) == EIGHT
    assert len(first) > 60


@pytest.mark.parametrize(("years", "rate"), [(4, 10), (1, 5), (1, 100)])
def test_people_have_about_as_many_claims_a_year_as_were_asked_for(years, rate):
    numbers = [count(person) for person in people(60, seed=3, years=years, claims_per_year=rate)][len(PERSONAS) :]
    assert 0.75 * rate <= sum(numbers) / len(numbers) / years <= 1.5 * rate
    assert min(numbers) <= 1
    assert max(numbers) > 2 * rate * years


def count(person):
    return len(claims_of(person, beneficiary(person.seed, person.number)))


def test_one_persona_has_a_thousand_claims_and_one_none():
    everybody = list(people(len(PERSONAS), seed=7, years=1, claims_per_year=2))
    assert count(everybody[PERSONAS["thousand"].number]) == 1000
    assert count(everybody[PERSONAS["nothing"].number]) == 0


def test_claim_ids_are_unique_over_all_people_and_negative(claims):
    ids = [claim["id"] for version, _, claim in claims if version == "v2"]
    assert len(set(ids)) == len(ids)
    assert len({each.split("--")[1] for each in ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z]+--\d{11,}", each) for each in ids)


def test_claims_of_two_seeds_can_stand_side_by_side():
    numbers = {claim_number(seed, number, 9_999) for seed in range(5) for number in range(50)}
    assert len(numbers) == 250
    assert claim_number(1, 0, 9_999) not in {claim_number(1, 1, index) for index in range(10_000)}


def test_both_versions_tell_the_same_facts(everyone):
    for _, records in everyone:
        old, new = ({record["id"]: record for record in records[version][5:]} for version in ("v1", "v2"))
        assert list(old) == list(new)
        for name in old:
            assert facts(old[name]) == facts(new[name]), name


def facts(claim):
    """What neither version may tell differently."""
    products = ("service", "productOrService")
    lines = []
    for item in claim["item"]:
        service = next((item[name]["coding"][0] for name in products if name in item), {"system": "data-absent-reason"})
        absent = service["system"].endswith("data-absent-reason")
        day = item.get("servicedDate") or item["servicedPeriod"]["start"]
        code = None if absent else service["code"]
        lines.append((code, day, item["quantity"]["value"], line_amounts(item)))
    period = claim["billablePeriod"]
    codes = [each["diagnosisCodeableConcept"]["coding"][0]["code"] for each in claim.get("diagnosis", [])]
    procedures = [
        (each["date"], each["procedureCodeableConcept"]["coding"][0]["code"]) for each in claim.get("procedure", [])
    ]
    totals = claim_amounts(claim)
    return (
        claim["meta"]["lastUpdated"],
        (period["start"], period["end"]),
        (lines, codes, procedures, totals, claim["payment"].get("date"), paid(claim)),
    )


def test_what_medicare_allows_is_what_it_pays_and_what_is_owed(claims):
    checked = Counter()
    for _, _, claim in claims:
        for item in claim["item"]:
            line = line_amounts(item)
            if kind(claim) in ("carrier", "dme"):
                owed = line["line_bene_ptb_ddctbl_amt"] + line["line_coinsrnc_amt"]
                assert line["line_alowd_chrg_amt"] == line["line_nch_pmt_amt"] + owed
                assert line["line_sbmtd_chrg_amt"] >= line["line_alowd_chrg_amt"]
            elif kind(claim) == "outpatient":
                owed = line["rev_cntr_cash_ddctbl_amt"] + line["rev_cntr_coinsrnc_wge_adjstd_c"]
                assert line["rev_cntr_ptnt_rspnsblty_pmt"] == owed
                assert line["rev_cntr_tot_chrg_amt"] >= line["rev_cntr_pmt_amt_amt"] + owed
            elif kind(claim) == "pde":
                assert line["tot_rx_cst_amt"] == line["cvrd_d_plan_pd_amt"] + line["ptnt_pay_amt"]
                assert line["tot_rx_cst_amt"] == line["gdc_blw_oopt_amt"] + line.get("gdc_abv_oopt_amt", 0)
            checked[kind(claim)] += 1
    assert checked.keys() == EIGHT


def test_a_claim_is_the_sum_of_its_lines(claims):
    for _, _, claim in claims:
        totals, lines = claim_amounts(claim), [line_amounts(item) for item in claim["item"]]
        if kind(claim) in ("carrier", "dme"):
            assert totals["nch_carr_clm_alowd_amt"] == sum(line["line_alowd_chrg_amt"] for line in lines)
            assert totals["carr_clm_cash_ddctbl_apld_amt"] == sum(line["line_bene_ptb_ddctbl_amt"] for line in lines)
            assert paid(claim) == sum(line["line_nch_pmt_amt"] for line in lines)
        elif kind(claim) == "outpatient":
            assert totals["nch_bene_ptb_coinsrnc_amt"] == sum(line["rev_cntr_coinsrnc_wge_adjstd_c"] for line in lines)
            assert paid(claim) == sum(line["rev_cntr_pmt_amt_amt"] for line in lines)
        elif kind(claim) in ("hha", "hospice"):
            assert paid(claim) == sum(line["rev_cntr_pmt_amt_amt"] for line in lines)
        elif kind(claim) in ("inpatient", "snf"):
            owed = totals["nch_bene_ip_ddctbl_amt"] + totals["nch_bene_pta_coinsrnc_lblty_amt"]
            assert totals["nch_ip_tot_ddctn_amt"] == owed


def test_nobody_pays_a_deductible_twice(claims):
    spent = Counter()
    for version, person, claim in claims:
        if version == "v1" and kind(claim) in ("carrier", "dme", "outpatient"):
            for item in claim["item"]:
                line, year = (
                    line_amounts(item),
                    (item.get("servicedDate") or item["servicedPeriod"]["start"])[:4],
                )
                deductible = line.get("line_bene_ptb_ddctbl_amt", line.get("rev_cntr_cash_ddctbl_amt"))
                spent[person.number, year] += deductible
    limits = {"2022": 233_00, "2023": 226_00, "2024": 240_00, "2025": 257_00, "2026": 283_00}
    assert all(amount <= limits[year] for (_, year), amount in spent.items())
    assert any(amount == limits[year] for (_, year), amount in spent.items())


def test_no_amount_is_negative(claims):
    for _, _, claim in claims:
        assert all(amount >= 0 for item in claim["item"] for amount in line_amounts(item).values())
        assert all(amount >= 0 for amount in claim_amounts(claim).values())
        assert (paid(claim) or 0) >= 0


def test_dates_are_in_order(everyone):
    for _, records in everyone:
        patient, part_a = records["v2"][:2]
        last = patient.get("deceasedDateTime", str(AS_OF))
        for claim in records["v2"][5:]:
            start, end = claim["billablePeriod"]["start"], claim["billablePeriod"]["end"]
            processed = next(
                (info["timingDate"] for info in claim["supportingInfo"] if "timingDate" in info),
                claim["payment"].get("date"),
            )
            assert part_a["period"]["start"] <= start <= end <= last
            assert end < processed < claim["meta"]["lastUpdated"][:10] <= str(AS_OF)
            assert date.fromisoformat(processed).weekday() == 4


def test_lines_and_procedures_fall_into_the_billed_days(claims):
    for _, _, claim in claims:
        start, end = claim["billablePeriod"]["start"], claim["billablePeriod"]["end"]
        for item in claim["item"]:
            assert start <= (item.get("servicedDate") or item["servicedPeriod"]["start"]) <= end
        for procedure in claim.get("procedure", []):
            assert start <= procedure["date"][:10] <= end


def test_claims_spread_over_four_years(everyone):
    months = {claim["billablePeriod"]["start"][:7] for _, records in everyone for claim in records["v1"][5:]}
    assert min(months) == "2022-11"
    assert max(months) == "2026-10"
    assert len(months) == 48


def test_skilled_nursing_follows_a_hospital_stay_of_three_days(claims):
    stays = defaultdict(set)
    for _, person, claim in claims:
        if kind(claim) == "inpatient":
            stays[person.number].add((claim["billablePeriod"]["start"], claim["billablePeriod"]["end"]))
    for version, person, claim in claims:
        if version == "v2" and kind(claim) == "snf":
            qualifying = next(
                info["timingPeriod"]
                for info in claim["supportingInfo"]
                if coding(info["category"], "codesystem/information") == V + "nch_qlfyd_stay_from_dt"
            )
            assert (qualifying["start"], qualifying["end"]) in stays[person.number]
            assert date.fromisoformat(qualifying["end"]) - date.fromisoformat(qualifying["start"]) >= timedelta(3)


def test_links_inside_a_claim_resolve(claims):
    for version, _, claim in claims:
        members = [member["sequence"] for member in claim["careTeam"]]
        diagnoses = [diagnosis["sequence"] for diagnosis in claim.get("diagnosis", [])]
        informations = [info["sequence"] for info in claim.get("supportingInfo", claim.get("information", []))]
        links = ("careTeamSequence", "diagnosisSequence", "informationSequence")
        if version == "v1":
            links = ("careTeamLinkId", "diagnosisLinkId", "informationLinkId")
        for item in claim["item"]:
            for link, known in zip(links, (members, diagnoses, informations), strict=True):
                assert set(item.get(link, [])) <= set(known)
            assert item[links[0]]
        assert [item["sequence"] for item in claim["item"]] == list(range(1, len(claim["item"]) + 1))
        assert members[0] == (2 if version == "v1" else 1)


def test_a_blood_result_belongs_to_the_line_that_measured_it(claims):
    found = [claim for version, _, claim in claims if version == "v2" and "Observation" in json.dumps(claim)]
    assert found
    for claim in found:
        (line,) = (item for item in claim["item"] if "informationSequence" in item)
        info = claim["supportingInfo"][line["informationSequence"][0] - 1]
        assert info["valueReference"]["reference"] == f"#line-observation-{line['sequence']}"


def test_references_lead_to_the_same_persons_records(everyone):
    for person, records in everyone:
        for version in ("v1", "v2"):
            known = {f"{record['resourceType']}/{record['id']}" for record in records[version]}
            for record in records[version]:
                for text in texts(record):
                    if text.startswith(("Patient/", "Coverage/")):
                        assert text in known, (person.number, record["id"])


def test_claims_name_the_coverage_that_pays(claims):
    parts = {"hospice": "a", "inpatient": "a", "snf": "a", "pde": "d"}
    for version, person, claim in claims:
        insurance = claim["insurance"] if version == "v1" else claim["insurance"][0]
        # CMS's version 2 names part A for equipment.
        part = "a" if (version, kind(claim)) == ("v2", "dme") else parts.get(kind(claim), "b")
        assert insurance["coverage"]["reference"] == f"Coverage/part-{part}-{person.patient}"


def test_no_claim_or_coverage_tells_who_the_person_is(everyone):
    for _, records in everyone:
        private = demographics(records)
        words = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in sorted(private)), re.IGNORECASE)
        others = [record for version in ("v1", "v2") for record in records[version][1:]]
        told = {text for record in others for text in texts({**record, "subscriberId": ""})}
        assert not [text for text in told if words.search(text)]


def demographics(records):
    """What names or describes the person, as words; the middle initial is checked apart."""
    old, new = records["v1"][0], records["v2"][0]
    race = next(each["valueCoding"]["display"] for each in old["extension"] if each["url"] == V + "race")
    mbis = {each["value"] for each in old["identifier"] + new["identifier"]} - {old["id"]}
    (name,), (address,) = new["name"], new["address"]
    names = {name["given"][0], name["family"], *name["given"][0].split(), *name["family"].split("-")}
    home = {address["line"][0], *(address[each] for each in ("city", "district", "state", "postalCode"))}
    return {*names, *mbis, *home, race, new["gender"], new["birthDate"], new["telecom"][0]["value"]}


def test_no_middle_initial_stands_alone_in_a_claim(everyone):
    for _, records in everyone:
        initials = set(records["v2"][0]["name"][0]["given"][1:])
        for version in ("v1", "v2"):
            for record in records[version][1:]:
                assert initials.isdisjoint(texts(record))


def test_no_name_in_the_lists_is_a_word_that_claims_use(claims):
    told = {text for _, _, claim in claims for text in texts(claim)}
    spoken = {word.lower() for text in told for word in re.findall(r"\w+", text)}
    for _, community in COMMUNITIES:
        for name in (*community.women, *community.men, *community.families):
            assert name.lower() not in spoken


def test_no_zip_in_the_lists_is_a_service_code():
    zips = {code for region in REGIONS for code, _, _ in region.towns}
    contractors = {number for region in REGIONS for number in (region.part_a, region.part_b, region.dme, region.home)}
    assert zips.isdisjoint(SERVICES)
    assert zips.isdisjoint(contractors)


def test_cpt_codes_stand_without_the_text_that_is_not_free(claims):
    seen = set()
    for _, _, claim in claims:
        for item in claim["item"]:
            service = item.get("service") or item.get("productOrService") or {"coding": []}
            for each in service["coding"]:
                if each["system"].endswith("codesystem/hcpcs") and each["code"].isdigit():
                    assert "display" not in each
                    seen.add(each["code"])
    assert len(seen) >= 8


def test_diagnoses_and_drugs_are_named(claims):
    for _, _, claim in claims:
        for diagnosis in claim.get("diagnosis", []):
            assert all(each["display"] for each in diagnosis["diagnosisCodeableConcept"]["coding"])
        if kind(claim) == "pde":
            (item,) = claim["item"]
            (drug,) = (item.get("service") or item["productOrService"])["coding"]
            assert re.fullmatch(r"\d{11}", drug["code"])
            assert drug["display"]
