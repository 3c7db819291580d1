"""The least record of a type, in which every demographic element can be told from all else."""

WHO = "this says who the person is"


def record(resource, id, patient):
    """A small record of this type that belongs to the patient; each demographic element says WHO."""
    if resource.patient_element == "id":
        return {"resourceType": resource.type, "id": patient}
    made = {"resourceType": resource.type, "id": id}
    for path in resource.demographic_elements:
        element = made
        *parents, last = path.split(".")
        for parent in parents:
            element = element.setdefault(parent, {})
        element[last] = WHO
    made[resource.patient_element] = {"reference": f"Patient/{patient}", "display": WHO}
    return made
