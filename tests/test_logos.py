"""The picture of an app: what is taken, what is kept of it, and how it is served."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bb2.models import Client, ClientLogo
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import MOST_KEPT, remade, set_logo
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from pictures import picture


def opened(data):
    return Image.open(BytesIO(data))


def noise(side):
    return Image.frombytes("RGB", (side, side), random.Random(1).randbytes(3 * side * side))


def written(image, format="PNG"):
    data = BytesIO()
    image.save(data, format)
    return data.getvalue()


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
    ],
)
def test_a_picture_of_any_colours_becomes_a_png(format, mode):
    kept = opened(remade(picture(format=format, mode=mode, color=0)))
    assert (kept.format, kept.size) == ("PNG", (64, 64))


def test_a_picture_of_finer_grey_keeps_its_shades():
    kept = opened(remade(written(Image.new("I;16", (8, 8), 0x8000))))
    assert kept.getpixel((4, 4)) == (128, 128, 128, 255)


@pytest.mark.parametrize(("size", "kept"), [((64, 64), (64, 64)), ((1024, 512), (512, 256)), ((20, 4000), (3, 512))])
def test_a_big_picture_is_scaled_down_and_keeps_its_shape(size, kept):
    assert opened(remade(picture(size))).size == kept


def test_what_does_not_fit_into_100_kb_becomes_smaller_until_it_does():
    data = remade(written(noise(512)))
    assert len(data) <= MOST_KEPT
    assert opened(data).size[0] < 512


def test_nothing_is_kept_but_the_pixels_and_they_stand_upright():
    told = PngInfo()
    told.add_text("Author", "Jane Doe, at home")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Jane Doe, at home"  # turned by 90 degrees; a description
    for data in (
        picture((64, 32), pnginfo=told, exif=exif),
        picture((64, 32), "JPEG", exif=exif, comment=b"Jane Doe, at home"),
        picture() + b"Jane Doe, at home",
    ):
        kept = remade(data)
        assert b"Jane Doe" not in kept
        assert not opened(kept).info
    assert opened(remade(picture((64, 32), "JPEG", exif=exif))).size == (32, 64)


def bomb(side):
    """A small PNG file that says of itself that it has side times side pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    lines = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "PNG or JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "PNG or JPEG"),
        (written(noise(8), "GIF"), "PNG or JPEG"),
        (written(noise(8), "BMP"), "PNG or JPEG"),
        (written(noise(64))[:-200], "PNG or JPEG"),
        (written(noise(64), "JPEG")[:-200], "PNG or JPEG"),
        (bomb(2_000), "PNG or JPEG"),
        (bomb(6_000), "16 million pixels"),
        (bomb(60_000), "PNG or JPEG"),
        (picture() + b"\0" * 5_000_000, "5 MB"),
    ],
    ids=["nothing", "SVG", "GIF", "BMP", "half a PNG", "half a JPEG", "lines missing", "bomb", "huge bomb", "big file"],
)
def test_what_is_no_picture_or_too_big_is_refused(data, says):
    with pytest.raises(ClientError, match=says):
        remade(data)


@pytest.fixture
def server():
    return ConsentServer(*BUILT_IN)


def change(server, data):
    with server.db() as db:
        set_logo(db, db.get(Client, server.client_id), data)


def shown(page):
    return page.html.select_one(".who .logo")


def test_people_see_it_where_they_sign_in_and_where_they_answer(server):
    assert shown(server.consent_page("openid")).get_text() == "T"
    change(server, picture())
    server.reset()
    asked = server.authorization_request("openid")
    for page in (server.get("/v2/o/authorize", asked).follow().follow(), server.consent_page("openid")):
        image = shown(page)
        assert (image.name, image["alt"]) == ("img", "")
        assert opened(server.get(image["src"]).body).size == (64, 64)
    change(server, None)
    assert shown(server.consent_page("openid")).get_text() == "T"
    server.get(image["src"], status=404)


def test_a_browser_asks_once_for_each_version(server):
    change(server, picture())
    first = shown(server.consent_page("openid"))["src"]
    answer = server.get(first)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    assert server.get(first, headers={"If-None-Match": answer.headers["ETag"]}, status=304).body == b""
    assert server.head(first).content_length == len(answer.body)
    change(server, picture(color="red"))
    second = shown(server.consent_page("openid"))["src"]
    assert second != first
    assert server.get(second).body != answer.body
    # The old address has the new picture, and may not be kept: nor may the address without a version.
    for path in (first, second.partition("?")[0]):
        found = server.get(path)
        assert found.body == server.get(second).body
        assert found.headers["Cache-Control"] == "public, no-cache"


@pytest.mark.parametrize("id", ["unknown", "%00", "%C3%A9", "x" * 5000])
def test_of_an_app_nobody_knows_is_not_found(server, id):
    server.get(f"/apps/{id}/logo", status=404)


def test_goes_with_its_app(server):
    change(server, picture())
    with server.db() as db:
        db.delete(db.get(Client, server.client_id))
    with server.db() as db:
        assert db.get(ClientLogo, server.client_id) is None
