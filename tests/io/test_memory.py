"""The limit of memory: one for the process, told in words."""

from collections.abc import Iterator

import pytest

from breastseg.core.errors import InputError, UnsupportedError
from breastseg.io.memory import MAX_MEMORY, check_memory, in_words, max_memory, set_max_memory


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    set_max_memory(MAX_MEMORY)


def test_the_limit_itself_fits_and_a_byte_more_does_not() -> None:
    set_max_memory(2**21)
    assert max_memory() == 2**21
    check_memory(2**21, "a.nii", "9 voxels")
    with pytest.raises(UnsupportedError, match=r"a\.nii: 9 voxels take about 2 M"):
        check_memory(2**21 + 1, "a.nii", "9 voxels")


def test_a_limit_below_a_mebibyte_is_a_slip() -> None:
    with pytest.raises(InputError, match="memory limit of 4 bytes"):
        set_max_memory(4)


def test_sizes_in_words() -> None:
    assert [in_words(size) for size in (1, 2**20, 3 * 2**29)] == ["0.01 MiB", "1 MiB", "1.5 GiB"]
