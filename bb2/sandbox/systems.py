"""Which code systems and profiles do the records name?  (CMS's own, HL7's, CARIN's.)"""

BLUE_BUTTON = "https://bluebutton.cms.gov/resources"
VARIABLE = f"{BLUE_BUTTON}/variables/"
CODE_SYSTEM = f"{BLUE_BUTTON}/codesystem/"
IDENTIFIER = f"{BLUE_BUTTON}/identifier/"

EOB_TYPE = CODE_SYSTEM + "eob-type"
INFORMATION = CODE_SYSTEM + "information"
ADJUDICATION = CODE_SYSTEM + "adjudication"
BENEFIT_BALANCE = CODE_SYSTEM + "benefit-balance"
DIAGNOSIS_TYPE = CODE_SYSTEM + "diagnosis-type"
CURRENCY = CODE_SYSTEM + "identifier-currency"
HCPCS = CODE_SYSTEM + "hcpcs"

FHIR = "http://hl7.org/fhir/"
NPI = FHIR + "sid/us-npi"
MBI = FHIR + "sid/us-mbi"
NDC = FHIR + "sid/ndc"
ICD_10 = FHIR + "sid/icd-10"
ICD_10_CM = FHIR + "sid/icd-10-cm"
ICD_10_PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
US_CORE = FHIR + "us/core/StructureDefinition/"

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
V2_0203 = TERMINOLOGY + "v2-0203"
ACT_CODE = TERMINOLOGY + "v3-ActCode"

CARIN = FHIR + "us/carin-bb/"
C4BB = CARIN + "CodeSystem/"
C4BB_IDENTIFIER_TYPE = C4BB + "C4BBIdentifierType"
C4BB_SUPPORTING_INFO = C4BB + "C4BBSupportingInfoType"

NUBC_REVENUE = "https://www.nubc.org/CodeSystem/RevenueCodes"
NUBC_ADMISSION = "https://www.nubc.org/CodeSystem/PriorityTypeOfAdmitOrVisit"
NUBC_ORIGIN = "https://www.nubc.org/CodeSystem/PointOfOrigin"
POINT_OF_ADMISSION = "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/HospitalAcqCond/Coding"
LANGUAGE = "urn:ietf:bcp:47"
NUCC_TAXONOMY = "http://nucc.org/provider-taxonomy"
UNITS = "http://unitsofmeasure.org"
DOLLARS = "urn:iso:std:iso:4217"


def profile(name: str) -> str:
    """CMS names the CARIN profiles of version 2 without a version."""
    return f"{CARIN}StructureDefinition/C4BB-{name}"
