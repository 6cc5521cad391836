"""What hangs together."""

from __future__ import annotations

from collections.abc import Iterable


def components(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """The connected component of every node of a graph.

    Args:
        count: number of nodes.
        links: pairs of nodes, each from 0 to `count` - 1.

    Returns:
        A component number a node, counted from 0 in the order of their first nodes.
    """
    parent = list(range(count))

    def top(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in links:
        parent[top(one)] = top(other)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(top(node), len(numbers)) for node in range(count)]
