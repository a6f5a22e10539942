"""Finding the route of a request."""

from __future__ import annotations

import pytest

from api.answer import Answer
from api.app import ROUTES
from api.call import Call
from api.errors import ApiError
from api.routing import Route, Router


async def nothing(_: Call) -> Answer:
    return Answer(body=b"")


def test_every_route_of_the_table_is_found() -> None:
    router = Router(ROUTES)
    for route in ROUTES:
        segments = [part.replace("{", "text of ").replace("}", "") for part in route.path.split("/")]
        found, texts = router.find(route.method, "/".join(segments).replace(" ", "%20").encode())
        assert found is route
        assert list(texts) == list(route.names)
        assert list(texts.values()) == [segment for segment in segments if segment.startswith("text of ")]


def test_a_fixed_segment_comes_before_any_text() -> None:
    fixed, named = Route("GET", "/a/fixed", nothing), Route("GET", "/a/{name}", nothing)
    router = Router([named, fixed])
    assert router.find("GET", b"/a/fixed")[0] is fixed
    assert router.find("GET", b"/a/other") == (named, {"name": "other"})
    assert router.find("HEAD", b"/a/other/")[0] is named


def test_a_name_may_be_that_of_a_fixed_segment() -> None:
    fixed, named = Route("POST", "/a/{x}/fixed", nothing), Route("PUT", "/a/{x}/{name}", nothing)
    router = Router([fixed, named, Route("GET", "/a/fixed/{name}", nothing)])
    assert router.find("POST", b"/a/1/fixed") == (fixed, {"x": "1"})
    assert router.find("PUT", b"/a/1/fixed") == (named, {"x": "1", "name": "fixed"})
    assert router.find("PUT", b"/a/fixed/fixed") == (named, {"x": "fixed", "name": "fixed"})
    with pytest.raises(ApiError) as error:
        router.find("GET", b"/a/1/fixed")
    assert (error.value.status, error.value.headers) == (405, {"Allow": "POST, PUT"})


def test_a_segment_is_decoded_after_the_path_was_split() -> None:
    router = Router([Route("GET", "/a/{name}", nothing)])
    assert router.find("GET", b"/a/x%2Fy%3Fz")[1] == {"name": "x/y?z"}


@pytest.mark.parametrize("path", [b"", b"/", b"//", b"/b", b"/a", b"/a/b/c", b"/a/b//", b"nonsense"])
def test_no_route(path: bytes) -> None:
    with pytest.raises(ApiError) as error:
        Router([Route("GET", "/a/{name}", nothing)]).find("GET", path)
    assert error.value.status == 404


def test_a_place_is_taken_once() -> None:
    with pytest.raises(ValueError, match=r"^/a/\{other\}$"):
        Router([Route("GET", "/a/{name}", nothing), Route("GET", "/a/{other}", nothing)])
