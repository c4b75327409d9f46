"""Addresses on the hub: which texts are addresses, and what their parts are."""

import contextlib

import pytest
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils._validators import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st

from trmsolve.errors import UsageError
from trmsolve.hub.address import Address, is_address

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)
PARTS = st.one_of(
    NAMES,
    st.text(max_size=6),
    st.sampled_from(["..", ".", "", "refs", "pr", "1", "a b", "\x1b[2J", "C:"]),
)


@given(
    st.lists(PARTS, max_size=5),
    st.sampled_from(["", "@main", "@refs/pr/1", "@a..b", "@", "@v1.0@x"]),
)
def test_whatever_is_an_address_reads_back_and_all_else_is_a_usage_error(
    parts: list[str], revision: str
) -> None:
    text = "hf://" + "/".join(parts[:2]) + revision + "".join(f"/{part}" for part in parts[2:])
    try:
        address = Address.parse(text)
    except UsageError as error:
        assert "hf://user/repo" in str(error)
        assert "\n" not in str(error)
        return
    assert str(address) == text
    assert Address.parse(str(address)) == address
    assert ".." not in (address.path or "").split("/")
    assert address.named.isprintable()
    try:
        validate_repo_id(address.repo)
    except HFValidationError as error:
        raise AssertionError(f"the hub takes no such repository: {error}") from None


@given(st.text())
def test_other_text_is_a_usage_error(text: str) -> None:
    for each in (text, f"hf://{text}", f"hf://u/r{text}"):
        with contextlib.suppress(UsageError):
            assert str(Address.parse(each)) == each


def test_the_parts_of_an_address() -> None:
    assert Address.parse("hf://u/r") == Address("u/r")
    assert Address("u/r").named == "main"
    assert Address.parse("hf://u/r@v1/a/b.safetensors") == Address("u/r", "v1", "a/b.safetensors")
    assert Address.parse("hf://u/r@refs/pr/12/a") == Address("u/r", "refs/pr/12", "a")
    assert is_address("hf://")
    assert not is_address("u/r")


@pytest.mark.parametrize(
    "text",
    [
        "hf://u/r/../../x",
        "hf://u/r/a/../b",
        "hf://u/r//etc",
        "hf://u/../r",
        "hf://u/r@../x",
        "hf://u/r/a\\..\\b",
        "hf://u/r/C:x",
        "hf://u",
        "u/r",
        "hf://datasets/u/r",
        "hf://u/r/",
        "hf://u/a--b",
        "hf://u/r/\x1b[2J",
        "HF://u/r",
    ],
)
def test_what_would_escape_or_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(
        UsageError, match="is not an address of weights on the hub: use hf://user/repo"
    ):
        Address.parse(text)
