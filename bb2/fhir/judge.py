"""Which stored records has nobody judged by the rules of today?  Judge them, so that they need be withheld no more."""

import orjson
from sqlalchemy import bindparam, func, or_, select, update

from bb2.models import Record

BATCH = 500  # records judged in a transaction
KEEP = update(Record.__table__).where(Record.__table__.c.number == bindparam("of"))
KEEP = KEEP.values(judgements=bindparam("judged"))


def unjudged(sensitivities):
    """The SQL condition of a record that some sensitivity of today has not judged; None: there is none to judge by."""
    marks = sensitivities.marks
    return or_(*(~Record.judgements.contains(mark, autoescape=True) for mark in marks)) if marks else None


def count_unjudged(db, sensitivities):
    """How many records are withheld because nobody has judged them."""
    condition = unjudged(sensitivities)
    return 0 if condition is None else db.scalar(select(func.count()).select_from(Record).where(condition))


def judge_batch(db, sensitivities, after):
    """Judge some of them, in the caller's transaction; those with a number beyond `after`.

    Returns (how many, the last number).  Stopped in the middle, it is gone on with as if it had not been.
    """
    asked = select(Record.number, Record.body, Record.judgements).where(Record.number > after, unjudged(sensitivities))
    # Locked, so that a record that is loaded meanwhile does not get the judgement of the one that it replaced.
    rows = db.execute(asked.order_by(Record.number).limit(BATCH).with_for_update()).all()
    judged = [
        {"of": row.number, "judged": sensitivities.judge(orjson.loads(row.body), before=row.judgements)} for row in rows
    ]
    if judged:
        db.connection().execute(KEEP, judged)
    return len(rows), rows[-1].number if rows else after
