"""All classical methods, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breastseg.classical.method import ClassicalMethod
from breastseg.classical.otsu import Otsu

METHODS: Mapping[str, type[ClassicalMethod]] = MappingProxyType(
    {method.name: method for method in (Otsu,)}
)
