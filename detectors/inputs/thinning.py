"""Which of a sequence stay when it is halved again and again: of each two one, by a hash of where they were.

Each second one would do where nothing has a period; questions that alternate with follow-ups have one.
"""


def keeps(at: int, stride: int) -> bool:
    """Whether this one, counted from 0, is the one of its `stride`: it would have stayed at each halving."""
    step = 1
    while step < stride and stays(at // step, step):
        step *= 2
    return step >= stride


def stays(at: int, stride: int) -> bool:
    """Whether it stays when those that are one of `stride` are halved; `at`: its place among them."""
    mixed = (at // 2 * 0x9E3779B1 + stride * 0x85EBCA77) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 15) * 0x2C1B3C6D & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 12) * 0x297A2D39 & 0xFFFFFFFF
    return (mixed >> 15 ^ at) & 1 == 0
