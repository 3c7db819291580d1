"""When do mails leave?  Within seconds of what they tell, beside the requests; each by one worker."""

import logging
from collections import Counter
from secrets import randbelow
from threading import Event, Thread
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError

from bb2.db import reader
from bb2.notices import ENDING, outbox
from bb2.notices.ends import write_ends
from bb2.notices.letters import NoAddress, letter
from bb2.notices.post import Refused, TryLater, Unreachable

log = logging.getLogger(__name__)
EVERY = 2  # seconds between two looks for what is due
AFTER_FAILURE = 60  # seconds: a mail server that is away is not asked by each mail that waits
ENDS_EVERY = 3_600  # seconds between two looks for access that ends soon
SPREAD = 600  # seconds by which workers that start together look apart


def deliver(engine, settings, post):
    """Send what is due.  Returns {(kind, what became of it): how many}; Unreachable where no mail can be sent."""
    done = Counter()
    with post:
        while (id := outbox.take(engine)) is not None:
            if (mail := outbox.facts(engine, id)) is not None:
                done[mail.kind, _deliver(engine, settings, post, mail)] += 1
    return done


def _deliver(engine, settings, post, mail):
    """Send one, and say in a word what became of it."""
    address = mail.address or mail.email
    if address is None or mail.closed_at or _is_over(mail):
        outbox.close(engine, mail)
        return "needless"
    try:
        post.send(letter(mail, address, settings), address)
    except (NoAddress, Refused) as error:
        log.warning("a mail (%s) was refused: %s", mail.kind, error)
        outbox.close(engine, mail, "notice.failed")
        return "refused"
    except TryLater as error:
        log.info("a mail (%s) must wait: %s", mail.kind, error)
        return "put off" if outbox.put_off(engine, mail) else "given up"
    except Unreachable:
        outbox.put_off(engine, mail)
        raise
    except Exception as error:  # one mail must not keep the others back; what is wrong with it may repeat an address
        log.error("a mail (%s) could not be written: %s", mail.kind, type(error).__name__)
        return "put off" if outbox.put_off(engine, mail) else "given up"
    outbox.close(engine, mail, "notice.sent")
    return "sent"


def _is_over(mail):
    """The access of which the mail would say that it ends soon has ended; or the link that it brings."""
    return bool(mail.link_over) or (mail.kind == ENDING and bool(mail.revoked_at or mail.replaced_at))


class Postman:
    """Sends while a server runs."""

    def __init__(self, engine, settings, post, every=EVERY, ends_first=None):
        self.engine, self.reader, self.settings, self.post = engine, reader(engine), settings, post
        self.every = every  #: seconds
        self._ends_at = monotonic() + (randbelow(SPREAD) if ends_first is None else ends_first)
        self._stopped = Event()

    def start(self):
        """Returns its thread."""
        thread = Thread(target=self._run, name="postman", daemon=True)
        thread.start()
        return thread

    def stop(self):
        self._stopped.set()

    def _run(self):
        delay = self.every
        while not self._stopped.wait(delay):
            delay = self.every
            try:
                self._look()
            except Unreachable as problem:
                log.warning("the mail server cannot be used: %s", problem)
                delay = max(self.every, AFTER_FAILURE)
            except SQLAlchemyError:
                log.warning("the database has no mails now; it is asked again", exc_info=True)
                delay = max(self.every, AFTER_FAILURE)

    def _look(self):
        if monotonic() >= self._ends_at:
            self._ends_at = monotonic() + ENDS_EVERY
            write_ends(self.engine)
        if outbox.anything_due(self.reader):
            done = deliver(self.engine, self.settings, self.post)
            log.info("mail %s", {" ".join(what): number for what, number in done.items()})
