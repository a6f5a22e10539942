"""Random bytes: never the same twice, not even after a fork."""

import os
from concurrent.futures import ThreadPoolExecutor

from domain.entropy import POOL_BYTES, Entropy


def test_no_bytes_are_given_out_twice_whoever_asks() -> None:
    entropy = Entropy()
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(entropy.take, [12] * 5_000))
    assert {len(each) for each in taken} == {12}
    assert len(set(taken)) == len(taken)


def test_more_than_the_pool_can_be_had() -> None:
    assert len(Entropy().take(3 * POOL_BYTES)) == 3 * POOL_BYTES


def test_a_forked_child_draws_bytes_of_its_own() -> None:
    entropy = Entropy()
    entropy.take(1)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, entropy.take(32))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 32)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 32
    assert theirs != entropy.take(32)
