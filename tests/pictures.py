"""Pictures as developers upload them."""

from io import BytesIO

from PIL import Image


def picture(size=(64, 64), format="PNG", mode="RGB", color="teal", **options):
    """The bytes of a picture file.  `options` are those with which Pillow writes it."""
    written = BytesIO()
    Image.new(mode, size, color).save(written, format, **options)
    return written.getvalue()
