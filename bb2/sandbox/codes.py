"""Which diagnoses, services, drugs and places do the pretend claims use, and what does each service cost?

ICD-10-CM, ICD-10-PCS and MS-DRG: CMS and NCHS, public. HCPCS level II: CMS, public. NDC: FDA, public.
CPT (the five-digit services) belongs to the American Medical Association: codes only, no text.
"""

from typing import NamedTuple


class Code(NamedTuple):
    code: str
    display: str | None = None


class Service(NamedTuple):
    code: Code
    #: what Medicare allows, in cents (in the order of its fee schedules, not from them)
    fee: int
    #: CMS type of service, a key of TYPES_OF_SERVICE
    type: str
    #: False: Medicare pays all of it (preventive services, clinical laboratory)
    shared: bool


class Drug(NamedTuple):
    code: Code
    #: cost of a day's supply, in cents
    daily: int
    #: units a day
    units: int = 1
    brand: bool = False


_DIAGNOSES = {
    "C3490": "Malignant neoplasm of unspecified part of unspecified bronchus or lung",
    "C182": "Malignant neoplasm of ascending colon",
    "D631": "Anemia in chronic kidney disease",
    "E039": "Hypothyroidism, unspecified",
    "E119": "Type 2 diabetes mellitus without complications",
    "E785": "Hyperlipidemia, unspecified",
    "F1120": "Opioid dependence, uncomplicated",
    "F1123": "Opioid dependence with withdrawal",
    "F331": "Major depressive disorder, recurrent, moderate",
    "G309": "Alzheimer's disease, unspecified",
    "G4733": "Obstructive sleep apnea (adult) (pediatric)",
    "H2513": "Age-related nuclear cataract, bilateral",
    "I10": "Essential (primary) hypertension",
    "I120": "Hypertensive chronic kidney disease with stage 5 chronic kidney disease or end stage renal disease",
    "I129": "Hypertensive chronic kidney disease with stage 1 through stage 4 chronic kidney disease, or "
    "unspecified chronic kidney disease",
    "I110": "Hypertensive heart disease with heart failure",
    "I252": "Old myocardial infarction",
    "I4891": "Unspecified atrial fibrillation",
    "I509": "Heart failure, unspecified",
    "I639": "Cerebral infarction, unspecified",
    "I69351": "Hemiplegia and hemiparesis following cerebral infarction affecting right dominant side",
    "J189": "Pneumonia, unspecified organism",
    "J441": "Chronic obstructive pulmonary disease with (acute) exacerbation",
    "J449": "Chronic obstructive pulmonary disease, unspecified",
    "J9611": "Chronic respiratory failure with hypoxia",
    "M1711": "Unilateral primary osteoarthritis, right knee",
    "M5450": "Low back pain, unspecified",
    "M810": "Age-related osteoporosis without current pathological fracture",
    "N1832": "Chronic kidney disease, stage 3b",
    "N186": "End stage renal disease",
    "R0602": "Shortness of breath",
    "R509": "Fever, unspecified",
    "S72001A": "Fracture of unspecified part of neck of right femur, initial encounter for closed fracture",
    "S72001D": "Fracture of unspecified part of neck of right femur, subsequent encounter for closed "
    "fracture with routine healing",
    "W010XXA": "Fall on same level from slipping, tripping and stumbling without subsequent striking against "
    "object, initial encounter",
    "Z0000": "Encounter for general adult medical examination without abnormal findings",
    "Z09": "Encounter for follow-up examination after completed treatment for conditions other than malignant neoplasm",
    "Z1211": "Encounter for screening for malignant neoplasm of colon",
    "Z23": "Encounter for immunization",
    "Z471": "Aftercare following joint replacement surgery",
    "Z5111": "Encounter for antineoplastic chemotherapy",
    "Z515": "Encounter for palliative care",
    "Z7901": "Long term (current) use of anticoagulants",
    "Z96651": "Presence of right artificial knee joint",
    "Z992": "Dependence on renal dialysis",
    "Z9981": "Dependence on supplemental oxygen",
}

_PROCEDURES = {
    "0QS604Z": "Reposition right upper femur with internal fixation device, open approach",
    "0SRC0J9": "Replacement of right knee joint with synthetic substitute, cemented, open approach",
    "0DTF4ZZ": "Resection of right large intestine, percutaneous endoscopic approach",
    "5A09357": "Assistance with respiratory ventilation, less than 24 consecutive hours, continuous positive "
    "airway pressure",
    "HZ2ZZZZ": "Detoxification services for substance abuse treatment",
}

DRGS = {
    "065": "Intracranial hemorrhage or cerebral infarction with CC or TPA in 24 hours",
    "190": "Chronic obstructive pulmonary disease with MCC",
    "194": "Simple pneumonia and pleurisy with CC",
    "291": "Heart failure and shock with MCC",
    "330": "Major small and large bowel procedures with CC",
    "470": "Major hip and knee joint replacement or reattachment of lower extremity without MCC",
    "481": "Hip and femur procedures except major joint with CC",
    "897": "Alcohol, drug abuse or dependence without rehabilitation therapy without MCC",
}

REVENUE = {
    "0022": "Skilled nursing facility prospective payment system",
    "0023": "Home health prospective payment system",
    "0120": "Room and board, semi-private, two beds",
    "0250": "Pharmacy",
    "0270": "Medical/surgical supplies",
    "0300": "Laboratory",
    "0320": "Radiology, diagnostic",
    "0335": "Radiology, therapeutic, chemotherapy administration, intravenous",
    "0360": "Operating room services",
    "0410": "Respiratory services",
    "0420": "Physical therapy",
    "0450": "Emergency room",
    "0480": "Cardiology",
    "0551": "Skilled nursing, visit charge",
    "0634": "Erythropoietin (EPO), less than 10,000 units",
    "0636": "Drugs requiring detailed coding",
    "0651": "Hospice services, routine home care",
    "0750": "Gastro-intestinal services",
    "0821": "Hemodialysis, outpatient or home, composite or other rate",
    "0906": "Behavioral health treatments and services, intensive outpatient services, chemical dependency",
}

PLACES = {
    "01": "Pharmacy",
    "11": "Office",
    "12": "Home",
    "21": "Inpatient hospital",
    "23": "Emergency room - hospital",
    "41": "Ambulance - land",
    "58": "Non-residential opioid treatment facility",
    "65": "End-stage renal disease treatment facility",
    "81": "Independent laboratory",
}

TYPES_OF_SERVICE = {
    "1": "Medical care",
    "2": "Surgery",
    "4": "Diagnostic radiology",
    "5": "Diagnostic laboratory",
    "D": "Ambulance",
    "P": "Lump sum purchase of DME, prosthetics, orthotics",
    "R": "Rental of DME",
    "S": "Ambulatory surgical center or supplies",
    "V": "Pneumococcal/flu vaccine",
    "W": "Physical therapy",
}

#: HCPCS level II.
_HCPCS = {
    "A0429": "Ambulance service, basic life support, emergency transport (BLS-emergency)",
    "A4253": "Blood glucose test or reagent strips for home blood glucose monitor, per 50 strips",
    "A7030": "Full face mask used with positive airway pressure device, each",
    "E0143": "Walker, folding, wheeled, adjustable or fixed height",
    "E0601": "Continuous positive airway pressure (CPAP) device",
    "E1390": "Oxygen concentrator, single delivery port, capable of delivering 85 percent or "
    "greater oxygen concentration at the prescribed flow rate",
    "G0008": "Administration of influenza virus vaccine",
    "G0121": "Colorectal cancer screening; colonoscopy on individual not meeting criteria for high risk",
    "G0439": "Annual wellness visit, includes a personalized prevention plan of service (PPS), subsequent visit",
    "G0151": "Services performed by a qualified physical therapist in the home health or hospice "
    "setting, each 15 minutes",
    "G0299": "Direct skilled nursing services of a registered nurse (RN) in the home health or "
    "hospice setting, each 15 minutes",
    "G0480": "Drug test(s), definitive, utilizing drug identification methods able to identify individual drugs and "
    "distinguish between structural isomers, 1-7 drug class(es), including metabolite(s) if performed, per day",
    "G2067": "Medication assisted treatment, methadone; weekly bundle including dispensing and/or administration, "
    "substance use counseling, individual and group therapy, and toxicology testing, if performed (provision of "
    "the services by a Medicare-enrolled opioid treatment program)",
    "G2086": "Office-based treatment for opioid use disorder, including development of the treatment plan, care "
    "coordination, individual therapy and group therapy and counseling; at least 70 minutes in the first calendar "
    "month",
    "J9263": "Injection, oxaliplatin, 0.5 mg",
    "Q4081": "Injection, epoetin alfa, 100 units (for ESRD on dialysis)",
    "Q5001": "Hospice or home health care provided in patient's home/residence",
}


def _service(code: str, fee: int, type: str = "1", shared: bool = True) -> Service:
    return Service(Code(code, _HCPCS.get(code)), fee, type, shared)


_SERVICES = (
    _service("27236", 118_240, "2"),
    _service("27447", 124_905, "2"),
    _service("44205", 138_060, "2"),
    _service("66984", 204_370, "2"),
    _service("71046", 8_615, "4"),
    _service("73562", 9_230, "4"),
    _service("80053", 1_056, "5", shared=False),
    _service("83036", 971, "5", shared=False),
    _service("84443", 1_680, "5", shared=False),
    _service("85018", 237, "5", shared=False),
    _service("85610", 429, "5", shared=False),
    _service("90662", 7_326, "V", shared=False),
    _service("90834", 10_440),
    _service("90853", 2_790),
    _service("90961", 24_160),
    _service("90999", 27_382, shared=True),
    _service("92014", 12_785),
    _service("93000", 1_474, "5"),
    _service("93306", 51_835, "4"),
    _service("77080", 3_890, "4"),
    _service("94060", 5_790, "5"),
    _service("96413", 13_240),
    _service("97110", 3_045, "W"),
    _service("97161", 10_185, "W"),
    _service("99213", 9_262),
    _service("99214", 13_050),
    _service("99223", 18_015),
    _service("99232", 8_050),
    _service("99285", 17_625),
    _service("A0429", 46_120, "D"),
    _service("A4253", 834, "S"),
    _service("A7030", 15_720, "S"),
    _service("E0143", 8_090, "P"),
    _service("E0601", 6_455, "R"),
    _service("E1390", 9_540, "R"),
    _service("G0008", 3_165, "V", shared=False),
    _service("G0480", 11_443, "5", shared=False),
    _service("G2067", 25_970, shared=False),
    _service("G2086", 38_890),
    _service("J9263", 12),
    _service("Q4081", 75),
    _service("G0121", 81_290, "2", shared=False),
    _service("G0439", 13_330, shared=False),
    _service("G0151", 0, shared=False),
    _service("G0299", 0, shared=False),
    _service("Q5001", 21_834, shared=False),
    # HIPPS rate codes (CMS, public): what a home health period and a skilled nursing day are paid by.
    _service("2EB11", 203_845, shared=False),
    _service("KAQE1", 0),
)
SERVICES = {service.code.code: service for service in _SERVICES}

#: The labeler's code and the product's in the 11 digits that claims write (5-4-2, without hyphens).
DRUGS = {
    "albuterol": Drug(Code("59310057922", "ProAir HFA - ALBUTEROL SULFATE"), 205, brand=True),
    "alendronate": Drug(Code("00006003144", "Fosamax - ALENDRONATE SODIUM"), 395, brand=True),
    "amlodipine": Drug(Code("00069153068", "Norvasc - AMLODIPINE BESYLATE"), 612, brand=True),
    "apixaban": Drug(Code("00003089421", "Eliquis - APIXABAN"), 1_965, units=2, brand=True),
    "atorvastatin": Drug(Code("60505257908", "Atorvastatin Calcium - ATORVASTATIN CALCIUM"), 34),
    "buprenorphine": Drug(
        Code("12496120803", "Suboxone - BUPRENORPHINE HYDROCHLORIDE, NALOXONE HYDROCHLORIDE"), 930, units=2, brand=True
    ),
    "clopidogrel": Drug(Code("63653117101", "Plavix - CLOPIDOGREL BISULFATE"), 640, brand=True),
    "donepezil": Drug(Code("62856024630", "Aricept - DONEPEZIL HYDROCHLORIDE"), 590, brand=True),
    "dulaglutide": Drug(Code("00002143480", "Trulicity - DULAGLUTIDE"), 3_490, brand=True),
    "furosemide": Drug(Code("00054429925", "Furosemide - FUROSEMIDE"), 14),
    "gabapentin": Drug(Code("67877022305", "Gabapentin - GABAPENTIN"), 41, units=3),
    "glargine": Drug(Code("00088221905", "Lantus SoloStar - INSULIN GLARGINE"), 1_120, brand=True),
    "levothyroxine": Drug(Code("00074455290", "Synthroid - LEVOTHYROXINE SODIUM"), 158, brand=True),
    "lisinopril": Drug(Code("68180098003", "Lisinopril - LISINOPRIL"), 11),
    "metformin": Drug(Code("00087606005", "Glucophage - METFORMIN HYDROCHLORIDE"), 64, units=2, brand=True),
    "metoprolol": Drug(Code("00186109005", "Toprol-XL - METOPROLOL SUCCINATE"), 148, brand=True),
    "naloxone": Drug(Code("69547035302", "Narcan - NALOXONE HYDROCHLORIDE"), 6_250, units=2, brand=True),
    "omeprazole": Drug(Code("55111015801", "Omeprazole - OMEPRAZOLE"), 18),
    "sacubitril": Drug(Code("00078065920", "Entresto - SACUBITRIL AND VALSARTAN"), 2_210, units=2, brand=True),
    "sertraline": Drug(Code("00049490030", "Zoloft - SERTRALINE HYDROCHLORIDE"), 487, brand=True),
    "sevelamer": Drug(Code("58468013001", "Renvela - SEVELAMER CARBONATE"), 1_480, units=3, brand=True),
    "tiotropium": Drug(Code("00597007541", "Spiriva HandiHaler - TIOTROPIUM BROMIDE"), 1_810, brand=True),
    "warfarin": Drug(Code("51672403201", "Warfarin Sodium - WARFARIN SODIUM"), 22),
}


def icd(*codes: str) -> tuple[Code, ...]:
    """Diagnoses by code, written as claims carry them: without the point."""
    return tuple(Code(code, _DIAGNOSES[code]) for code in codes)


def procedure(code: str) -> Code:
    return Code(code, _PROCEDURES[code])


def named(table: dict[str, str], code: str) -> Code:
    return Code(code, table[code])
