"""Which claims tell of treatment for alcohol or drug use?  By code, wherever it lies, in both FHIR versions."""

from types import SimpleNamespace

import pytest

from bb2.scopes import ScopeError, explanation_of_benefit, substance_use
from bb2.settings import Settings
from bb2.testing import ALICE, SensitivityTests

BB = "https://bluebutton.cms.gov/resources"
ICD_10, ICD_10_CM = "http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm"
ICD_9 = "http://hl7.org/fhir/sid/icd-9-cm"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
HCPCS, CMS_HCPCS = f"{BB}/codesystem/hcpcs", "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
NDC = "http://hl7.org/fhir/sid/ndc"
DRG, REVENUE = f"{BB}/variables/clm_drg_cd", f"{BB}/variables/rev_cntr"
NUBC_REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
PLACE = f"{BB}/variables/line_place_of_srvc_cd"


def carries(record, settings=None):
    declared = substance_use.register_sensitivities(Settings.read(settings or {}, {}))
    return declared.carries({"resourceType": "ExplanationOfBenefit"} | record)


def concept(system, code, display=None):
    coding = {"system": system, "code": code, "display": display}
    return {"coding": [{name: value for name, value in coding.items() if value is not None}]}


def diagnosis(system, code):
    return {"diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": concept(system, code)}]}


def procedure(system, code):
    return {"procedure": [{"sequence": 1, "procedureCodeableConcept": concept(system, code)}]}


def service(system, code, display=None, element="productOrService"):
    return {"item": [{"sequence": 1, element: concept(system, code, display)}]}


@pytest.mark.parametrize(
    "record",
    [
        *(diagnosis(ICD_10, f"F1{n}") for n in (0, 1, 2, 3, 4, 5, 6, 8, 9)),
        diagnosis(ICD_10_CM, "F10.20"),
        diagnosis(ICD_10_CM, " f11 .23 "),
        diagnosis("urn:oid:2.16.840.1.113883.6.90", "F1920"),
        diagnosis("http://hl7.org/fhir/sid/unknown-icd-version", "30300"),
        diagnosis(None, "F11.20"),
        diagnosis("https://example.org/codes", "F11.20"),
        *(diagnosis(ICD_9, code) for code in ("291", "2910", "292.0", "303.90", "304", "305", "305.00", "305.2")),
        procedure(ICD_10, "HZ2ZZZZ"),
        procedure(PCS, "hz30zzz"),
        procedure(ICD_9, "94.62"),
        service(HCPCS, "H0015", element="service"),
        service(CMS_HCPCS, "g2067"),
        service("http://www.ama-assn.org/go/cpt", "99408"),
        service(None, "T1006"),
        service(HCPCS, "J0571"),
        {"item": [{"modifier": [concept(HCPCS, "HF")], "productOrService": concept(HCPCS, "99213")}]},
        {"item": [{"detail": [{"subDetail": [{"productOrService": concept(HCPCS, "H0020")}]}]}]},
        {"addItem": [{"detail": [{"service": concept(HCPCS, "H0001")}]}]},
        service(NDC, "12496-1208-03"),
        service(NDC, "124961208", element="service"),
        service(NDC, "99999999999", "Suboxone Film - BUPRENORPHINE AND NALOXONE"),
        {"item": [{"service": {"text": "Methadone hydrochloride 10 mg"}}]},
        {"item": [{"productOrService": {"extension": [{"valueCoding": concept(NDC, "65757030001")["coding"][0]}]}}]},
        {"item": [{"revenue": concept(REVENUE, "0906")}]},
        {"item": [{"revenue": concept(NUBC_REVENUE, "944")}]},
        {"item": [{"locationCodeableConcept": concept(PLACE, "58")}]},
        {"diagnosis": [{"packageCode": concept(DRG, "896")}]},
        {"supportingInfo": [{"code": concept(DRG, "0895")}]},
        {"information": [{"category": concept(f"{BB}/codesystem/information", DRG), "code": concept(DRG, "897")}]},
        {"diagnosis": [{"diagnosisReference": {"reference": "#c"}}]}
        | {"contained": [{"resourceType": "Condition", "id": "c", "code": concept(ICD_10_CM, "F14.20")}]},
        {"contained": [{"resourceType": "Condition", "code": concept(None, "F14.20")}]},
        {"contained": [{"resourceType": "Procedure", "code": concept(ICD_9, "94.62")}]},
        {"contained": [{"resourceType": "Medication", "code": {"text": "Suboxone film"}}]},
        {"contained": [{"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Suboxone film"}}]},
        {"prescription": {"reference": "MedicationRequest/1", "display": "Suboxone film"}},
        {"item": [{"productOrService": {"coding": [{"display": "Suboxone film"}]}}]},
        {"item": [{"locationCodeableConcept": {"coding": [{"system": PLACE, "code": 58}]}}]},
        {"diagnosis": [{"packageCode": {"coding": [{"code": 896}]}}]},
    ],
)
def test_a_claim_with_a_code_of_the_list_carries_it(record):
    assert carries(record)


@pytest.mark.parametrize(
    "record",
    [
        {},
        diagnosis(ICD_10, "F17.210"),
        diagnosis(ICD_10, "E11.9"),
        diagnosis(ICD_10, "F20.0"),
        diagnosis(ICD_9, "305.1"),
        diagnosis(ICD_9, "3051"),
        diagnosis(ICD_9, "250.00"),
        diagnosis(ICD_9, "944.50"),  # a burn; as a procedure, 94.45 would be counseling
        procedure(ICD_9, "30.3"),  # of the larynx; as a diagnosis, 303 would be alcohol dependence
        procedure(PCS, "F13Z01Z"),  # a hearing test
        procedure(PCS, "30233N1"),  # a transfusion
        service(HCPCS, "99213"),
        service(HCPCS, "H0023"),
        service(HCPCS, "G0442"),
        service(NDC, "00093005801", "Metformin"),
        {"item": [{"revenue": concept(REVENUE, "0450"), "locationCodeableConcept": concept(PLACE, "11")}]},
        {"diagnosis": [{"packageCode": concept(DRG, "522")}]},  # a hip replacement
        {"supportingInfo": [{"code": concept(f"{BB}/variables/clm_mco_pd_sw", "896")}]},
        {"careTeam": [{"qualification": concept(f"{BB}/variables/prvdr_spclty", "57")}]},
        {"identifier": [{"system": f"{BB}/variables/clm_id", "value": "F1020"}]},
        {"diagnosis": "F10", "procedure": [None, 7], "item": [{"service": {"coding": "H0015", "text": 7}}]},
    ],
)
def test_another_claim_does_not(record):
    assert not carries(record)


def test_every_row_of_the_list_has_a_source_that_its_head_explains():
    text = substance_use.LIST.read_text("utf-8")
    for row in substance_use.rows_of(text, ("kind", "code")):
        assert f"#           {row['source']} " in text or f"# source    {row['source']} " in text, row


class TestMoreCodes:
    def file(self, tmp_path, text):
        tmp_path.joinpath("codes.csv").write_text(text)
        return {"bb2.sensitive_codes": str(tmp_path / "codes.csv")}

    def test_of_the_operator_count_too_and_change_the_rules(self, tmp_path):
        rows = "substance-use,hcpcs,G9990-G9992\nsubstance-use,icd-10-cm,Z71.41\nanother,hcpcs,99213\n"
        settings = self.file(tmp_path, f"# ours\nsensitivity,kind,code\n{rows}")
        for record in service(HCPCS, "G9991"), diagnosis(ICD_10, "Z7141"), diagnosis(ICD_10, "F10"):
            assert carries(record, settings)
        assert not carries(service(HCPCS, "99213"), settings)
        before, after = (substance_use.register_sensitivities(Settings.read(s, {})) for s in ({}, settings))
        assert before.rules != after.rules

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("sensitivity,kind,code\nsubstance-use,icd10,F10\n", "no codes are icd10,F10"),
            ("sensitivity,kind,code\nsubstance-use,hcpcs,\n", "each with a code"),
            ("sensitivity,kind,code\nsubstance-use,hcpcs,H0022-H0001\n", "no range"),
            ("kind,code\nhcpcs,H0001\n", "begins with the line sensitivity,kind,code"),
        ],
    )
    def test_that_cannot_be_meant_stop_the_start(self, tmp_path, text, told):
        with pytest.raises(ScopeError, match=told):
            substance_use.register_sensitivities(
                SimpleNamespace(sensitive_codes=self.file(tmp_path, text).popitem()[1])
            )


class TestTheSensitivity(SensitivityTests):
    plugin, key = substance_use, "substance-use"
    opener, scope = explanation_of_benefit, "patient/ExplanationOfBenefit.read"

    def claim(self, id, **elements):
        patient = {"reference": f"Patient/{ALICE}"}
        return {"resourceType": "ExplanationOfBenefit", "id": id, "patient": patient} | elements

    def carrying(self):
        return [self.claim("c-1", **diagnosis(ICD_10, "F11.20")), self.claim("c-2", **service(HCPCS, "G2067"))]

    def free(self):
        return [self.claim("f-1", **diagnosis(ICD_10, "E11.9"))]
