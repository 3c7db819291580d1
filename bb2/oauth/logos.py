"""Which picture stands for an app?  Checked, made anew without whatever else the file holds, and kept."""

import logging
import struct
import warnings
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageOps

from bb2.models import ClientLogo
from bb2.oauth.errors import ClientError

FORMATS = ("PNG", "JPEG")
MOST_READ = 5_000_000  #: bytes of a file
MOST_PIXELS = 16_000_000  #: of a picture, which takes four bytes each while it is made anew
MOST_KEPT = 100_000  #: bytes
SIDES = (512, 256, 128)  #: pixels; even of noise, the last makes less than MOST_KEPT
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)

logging.getLogger("PIL").setLevel(logging.INFO)  # at its finest it logs what a file tells of itself, names included


def set_logo(db, client, data):
    """Keep the picture in these bytes, a PNG or JPEG file, as the logo of a Client; None: it has none any more.

    ClientError where it will not do.
    """
    kept = db.get(ClientLogo, client.client_id)
    png = None if data is None else remade(data)
    if png is None:
        client.logo = None
        if kept is not None:
            db.delete(kept)
        return
    client.logo = sha256(png).hexdigest()
    if kept is None:
        db.add(ClientLogo(client_id=client.client_id, png=png))
    else:
        kept.png = png


def remade(data):
    """A PNG of at most 512 by 512 pixels and 100 KB, of a file's pixels and nothing else that it holds."""
    picture = _pixels(data)
    for side in SIDES:
        picture.thumbnail((side, side))
        written = BytesIO()
        picture.save(written, "PNG", optimize=True)
        if written.tell() <= MOST_KEPT:
            break
    return written.getvalue()


def _pixels(data):
    """The picture, upright, without its metadata.  Its size is looked at before a pixel is unpacked."""
    if len(data) > MOST_READ:
        raise ClientError(f"the logo has more than {MOST_READ // 1_000_000} MB: make it smaller")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST_PIXELS says it more strictly
            opened = Image.open(BytesIO(data), formats=FORMATS)
        if opened.width * opened.height > MOST_PIXELS:
            raise ClientError(f"the logo has more than {MOST_PIXELS // 1_000_000} million pixels: make it smaller")
        if opened.mode.startswith("I"):  # 16 bits of grey, of which Pillow would keep the lower ones
            opened = opened.convert("I").point(lambda grey: grey / 256).convert("L")
        opened = ImageOps.exif_transpose(opened).convert("RGBA")
    except UNREADABLE:
        raise ClientError("the logo must be a PNG or JPEG picture") from None
    clean = Image.new("RGBA", opened.size)
    clean.paste(opened)
    return clean
