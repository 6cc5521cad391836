"""The data sets that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from breastseg.core.errors import DataSetError
from breastseg.data.dataset import DataSet
from breastseg.data.sets.bcdr import Bcdr
from breastseg.data.sets.bcss import Bcss
from breastseg.data.sets.bcss_tiles import BcssTiles
from breastseg.data.sets.bus_bra import BusBra
from breastseg.data.sets.bus_uclm import BusUclm
from breastseg.data.sets.busi import Busi
from breastseg.data.sets.cbis_ddsm import CbisDdsm, CbisDdsmCalcifications
from breastseg.data.sets.cdd_cesm import CddCesm, CddCesmLowEnergy
from breastseg.data.sets.coco import Coco
from breastseg.data.sets.ddsm import Ddsm, DdsmAbnormalities
from breastseg.data.sets.duke import Duke
from breastseg.data.sets.duke_dicom import DukeDicom
from breastseg.data.sets.folder import Folder
from breastseg.data.sets.inbreast import Inbreast, InbreastRegions
from breastseg.data.sets.labelme import LabelMe
from breastseg.data.sets.mama_mia import MamaMia
from breastseg.data.sets.manifest import Manifest
from breastseg.data.sets.nnunet import NnUnet
from breastseg.data.sets.tnbc import Tnbc
from breastseg.data.sets.yolo import Yolo

DATA_SETS: Mapping[str, Callable[[Path], DataSet]] = MappingProxyType(
    {
        "BUSI": Busi,
        "BUS-BRA": BusBra,
        "BUS-UCLM": BusUclm,
        "CDD-CESM": CddCesm,
        "CDD-CESM-DM": CddCesmLowEnergy,
        "CBIS-DDSM": CbisDdsm,
        "CBIS-DDSM-calc": CbisDdsmCalcifications,
        "DDSM": Ddsm,
        "DDSM-all": DdsmAbnormalities,
        "BCDR": Bcdr,
        "INbreast": Inbreast,
        "INbreast-regions": InbreastRegions,
        "BCSS": Bcss,
        "BCSS-tiles": BcssTiles,
        "TNBC": Tnbc,
        "Duke-Breast-Cancer-MRI": DukeDicom,
        "Duke-Breast-Cancer-MRI-NIfTI": Duke,
        "MAMA-MIA": MamaMia,
        "folder": Folder,
        "manifest": Manifest,
        "nnunet": NnUnet,
        "coco": Coco,
        "labelme": LabelMe,
        "yolo": Yolo,
    }
)

OWN = frozenset({"folder", "manifest", "nnunet", "coco", "labelme", "yolo"})
"""The layouts for data of one's own, which may be given a name."""


def open_data_set(name: str, root: Path) -> DataSet:
    """A data set in its folder; nothing is read until its cases are asked for.

    Args:
        name: one of `DATA_SETS`, in capitals or not.
        root: the data set's folder, or one that holds it under its usual name.

    Raises:
        DataSetError: no data set has this name.
    """
    for known, data_set in DATA_SETS.items():
        if known.lower() == name.lower():
            return data_set(root)
    raise DataSetError(
        f"no data set {name!r}",
        f"one of {', '.join(DATA_SETS)}",
        "use folder=PATH for images of your own",
    )
