"""What is wrong with a synthetic record, beside what a FHIR library and the CARIN profiles see?"""

from collections.abc import Iterator

V = "https://bluebutton.cms.gov/resources/variables/"


def kind(claim):
    return claim["id"].split("-")[0]


def coding(concept, system):
    return next((each["code"] for each in concept["coding"] if each["system"].endswith(system)), None)


def cents(money):
    return round(money["value"] * 100)


def line_amounts(item):
    """{variable: cents} of one line, in either version."""
    found = {}
    for each in item["adjudication"]:
        name = coding(each["category"], "codesystem/adjudication")
        if name and "amount" in each:
            found[name.removeprefix(V)] = cents(each["amount"])
    return found


def claim_amounts(claim):
    """{variable: cents} of the claim as a whole, in either version."""
    found = {
        extension["url"].removeprefix(V): cents(extension["valueMoney"])
        for extension in claim.get("extension", [])
        if "valueMoney" in extension
    }
    for balance in claim.get("benefitBalance", []):
        for each in balance["financial"]:
            if "usedMoney" in each:
                found[each["type"]["coding"][0]["code"].removeprefix(V)] = cents(each["usedMoney"])
    return found


def paid(claim):
    return cents(claim["payment"]["amount"]) if "amount" in claim["payment"] else None


def texts(node):
    """Every string in a record, the ids and links among them, in any order."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def problems(version: str, record: dict) -> list[str]:
    """What is wrong with a record of a version ("v1" or "v2"): references, numbered links, amounts, dates."""
    found = list(_dangling(record))
    if record["resourceType"] == "ExplanationOfBenefit":
        found += [*_broken_links(version, record), *_wrong_amounts(record), *_wrong_dates(record)]
    return found


def _dangling(record: dict) -> Iterator[str]:
    """`#id` that leads to nothing contained, and what is contained and never led to (FHIR, "Contained Resources")."""
    contained = {"#" + each["id"] for each in record.get("contained", [])}
    used = {text for text in texts(record) if text.startswith("#")}
    if used != contained:
        yield f"contained {sorted(contained)}, referred to {sorted(used)}"


#: {version: {element of an item: element of the claim whose `sequence` it names}}
LINKS = {
    "v1": {"careTeamLinkId": "careTeam", "diagnosisLinkId": "diagnosis", "informationLinkId": "information"},
    "v2": {
        "careTeamSequence": "careTeam",
        "diagnosisSequence": "diagnosis",
        "informationSequence": "supportingInfo",
        "noteNumber": "processNote",
    },
}


def _broken_links(version: str, claim: dict) -> Iterator[str]:
    for place, item in enumerate(claim["item"], start=1):
        if item["sequence"] != place:
            yield f"item {place} has the sequence {item['sequence']}"
        for link, to in LINKS[version].items():
            known = {each.get("sequence", each.get("number")) for each in claim.get(to, [])}
            if not set(item.get(link, [])) <= known:
                yield f"item {place}: {link} {item[link]} leads to none of {to}"
    for to in ("careTeam", "diagnosis", "procedure", "supportingInfo", "information"):
        numbers = [each["sequence"] for each in claim.get(to, [])]
        if len(set(numbers)) < len(numbers):
            yield f"{to} has the same sequence twice"


def _wrong_amounts(claim: dict) -> Iterator[str]:
    """What is allowed is what is paid and what is owed, line by line and in the sum, to the cent."""
    lines = [line_amounts(item) for item in claim["item"]]
    for place, line in enumerate(lines, start=1):
        if any(amount < 0 for amount in line.values()):
            yield f"item {place}: less than nothing"
        if "line_alowd_chrg_amt" in line:
            owed = line["line_bene_ptb_ddctbl_amt"] + line["line_coinsrnc_amt"]
            if line["line_alowd_chrg_amt"] != line["line_nch_pmt_amt"] + owed:
                yield f"item {place}: allowed is not paid and owed"
        if "tot_rx_cst_amt" in line and line["tot_rx_cst_amt"] != line["cvrd_d_plan_pd_amt"] + line["ptnt_pay_amt"]:
            yield f"item {place}: the price is not what plan and person pay"
        if "rev_cntr_ptnt_rspnsblty_pmt" in line:
            owed = line["rev_cntr_cash_ddctbl_amt"] + line["rev_cntr_coinsrnc_wge_adjstd_c"]
            if line["rev_cntr_ptnt_rspnsblty_pmt"] != owed:
                yield f"item {place}: the person's part is not deductible and coinsurance"
    for name in ("line_nch_pmt_amt", "rev_cntr_pmt_amt_amt"):
        if name in lines[0] and paid(claim) != sum(line.get(name, 0) for line in lines):
            yield "payment is not the sum of its lines"


def _wrong_dates(claim: dict) -> Iterator[str]:
    start, end = claim["billablePeriod"]["start"], claim["billablePeriod"]["end"]
    updated = claim["meta"]["lastUpdated"][:10]
    if not start <= end < claim["payment"]["date"] < updated:
        yield f"{start}, {end}, {claim['payment']['date']} and {updated} are not in order"
    days = [item.get("servicedDate") or item["servicedPeriod"]["start"] for item in claim["item"]]
    days += [procedure["date"][:10] for procedure in claim.get("procedure", [])]
    if not all(start <= day <= end for day in days):
        yield "a line or procedure is outside the billed days"
