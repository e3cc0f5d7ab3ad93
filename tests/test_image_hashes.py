"""Families of image hashes: as a loop over all pairs finds them, each around its most frequent hash."""

import numpy as np
import polars as pl
import pytest

from workbench import image_hashes
from workbench.image_hashes import group_near_hashes
from workbench.schema import ParameterError


def flip(hexadecimal: str, bits: list[int]) -> str:
    number = int(hexadecimal, 16)
    for bit in bits:
        number ^= 1 << bit
    return f"{number:0{len(hexadecimal)}x}"


def families(hashes: list[str | None], **max_bits) -> dict[str, str]:
    limits = {int(name.removeprefix("bits_")): n for name, n in max_bits.items()}
    return dict(group_near_hashes(pl.Series(hashes, dtype=pl.String), max_bits=limits).rows())


def test_a_family_is_what_lies_within_the_radius_of_its_most_frequent_hash():
    first = "0f" * 32
    near, far = flip(first, list(range(31))), flip(first, list(range(32)))
    found = families([first, first, near.upper(), far, None], bits_256=31)
    assert found == {first: first, near.upper(): first, far: far}


def test_members_are_near_the_head_not_near_each_other():
    first, left, right = "0" * 16, flip("0" * 16, [0, 1, 2]), flip("0" * 16, [60, 61, 62])
    assert set(families([first, first, left, right], bits_64=3).values()) == {first}
    assert families([left, left, first, right], bits_64=3) == {left: left, first: left, right: right}


def test_other_lengths_and_other_signs_are_equal_or_nothing():
    md5, odd = "d41d8cd98f00b204e9800998ecf8427e", "z" * 16
    assert families([md5, flip(md5, [0]), odd], bits_64=8) == {md5: md5, flip(md5, [0]): flip(md5, [0]), odd: odd}


@pytest.mark.parametrize(("n_bits", "radius"), [(64, 8), (64, 0), (64, 12), (256, 31), (256, 40)])
def test_every_near_pair_is_found(n_bits, radius, monkeypatch):
    monkeypatch.setattr(image_hashes, "PAIRS_PER_STEP", 50)
    rng = np.random.default_rng(n_bits + radius)
    base = rng.integers(0, 2**16, (4, n_bits // 16), dtype=np.uint16)
    rows = np.unique(np.repeat(base, 12, axis=0), axis=0)
    for _ in range(12):
        noisy = base.copy()
        for row in noisy:
            for bit in rng.choice(n_bits, rng.integers(0, radius + 4), replace=False):
                row[bit // 16] ^= np.uint16(1 << (bit % 16))
        rows = np.concatenate([rows, noisy])
    low, high = image_hashes._near_pairs(rows, radius)
    gap = np.bitwise_count(rows[:, None, :] ^ rows[None, :, :]).sum(axis=2, dtype=int)
    expected = np.argwhere(np.triu(gap <= radius, 1))
    assert np.column_stack([low, high]).tolist() == expected.tolist()


def test_a_radius_that_matches_anything_is_refused():
    for radius in (-1, 16):
        with pytest.raises(
            ParameterError, match=rf"radius of {radius} bits was asked for hashes of 64; expected 0 to 15"
        ):
            families(["0" * 16], bits_64=radius)
