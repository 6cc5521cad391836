"""All classical methods, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from breastseg.classical.canny import Canny
from breastseg.classical.chan_vese import ChanVese
from breastseg.classical.ellipse import Ellipse
from breastseg.classical.fuzzy_c_means import FuzzyCMeans
from breastseg.classical.geodesic_contour import GeodesicContour
from breastseg.classical.grab_cut import GrabCut
from breastseg.classical.k_means import KMeans
from breastseg.classical.local_threshold import LocalThreshold
from breastseg.classical.max_entropy import MaxEntropy
from breastseg.classical.method import ClassicalMethod
from breastseg.classical.multi_otsu import MultiOtsu
from breastseg.classical.otsu import Otsu
from breastseg.classical.polar_path import PolarPath
from breastseg.classical.random_walker import RandomWalker
from breastseg.classical.region_growing import RegionGrowing
from breastseg.classical.saliency import Saliency
from breastseg.classical.slic import Slic
from breastseg.classical.sobel import Sobel
from breastseg.classical.watershed import Watershed

METHODS: Mapping[str, type[ClassicalMethod]] = MappingProxyType(
    {
        "ellipse": Ellipse,
        "saliency": Saliency,
        "otsu": Otsu,
        "multi-otsu": MultiOtsu,
        "local-threshold": LocalThreshold,
        "max-entropy": MaxEntropy,
        "k-means": KMeans,
        "fuzzy-c-means": FuzzyCMeans,
        "region-growing": RegionGrowing,
        "canny": Canny,
        "sobel": Sobel,
        "watershed": Watershed,
        "chan-vese": ChanVese,
        "geodesic-contour": GeodesicContour,
        "polar-path": PolarPath,
        "random-walker": RandomWalker,
        "grab-cut": GrabCut,
        "slic": Slic,
    }
)
"""In the order of lists: controls, thresholds, clusters, edges, contours, graphs."""
