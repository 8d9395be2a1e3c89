import zlib

from hypothesis import given
from hypothesis import strategies as st

from terrawatt.data.checksums import Joiner


@given(before=st.binary(max_size=300), after=st.binary(min_size=1, max_size=300))
def test_joined_checksums_are_those_of_the_joined_bytes(before: bytes, after: bytes) -> None:
    joined = Joiner(len(after)).join(zlib.crc32(before), zlib.crc32(after))
    assert joined == zlib.crc32(before + after)


@given(parts=st.lists(st.binary(min_size=7, max_size=7), min_size=1, max_size=20))
def test_many_parts_one_after_the_other(parts: list[bytes]) -> None:
    joiner = Joiner(7)
    checksum = 0
    for part in parts:
        checksum = joiner.join(checksum, zlib.crc32(part))
    assert checksum == zlib.crc32(b"".join(parts))
