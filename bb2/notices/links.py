"""What is the address of a link that goes by mail?  What it carries follows from its row and from the server's own key.

So the worker that sends the mail can write it, and neither the table nor the outbox opens anything.
"""

import hmac

from bb2.oauth.own_key import derived_text

#: {purpose: path of its page}; bb2.routes adds `/{link}` to each
PATHS = {"verify": "/developer/verify", "recover": "/developer/recover", "email": "/developer/new-address"}


def carried(settings, purpose, id):
    """What the address of a link ends with: the number of its row, and the proof that it was mailed."""
    return f"{id}.{derived_text(settings.keys_folder, f'link {purpose} {id}')}"


def url(settings, purpose, id):
    return f"{settings.base_url}{PATHS[purpose]}/{carried(settings, purpose, id)}"


def id_of(settings, purpose, text):
    """The number of the row of a link that was mailed for this purpose; None for any other text."""
    id = text.partition(".")[0]
    mailed = carried(settings, purpose, id)
    return id if hmac.compare_digest(mailed.encode(), text.encode("utf-8", "surrogatepass")) else None
