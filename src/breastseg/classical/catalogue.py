"""All classical methods, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breastseg.classical.ellipse import Ellipse
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.otsu import Otsu
from breastseg.classical.saliency import Saliency

METHODS: Mapping[str, type[ClassicalMethod]] = MappingProxyType(
    {method.name: method for method in (Ellipse, Saliency, Otsu)}
)
