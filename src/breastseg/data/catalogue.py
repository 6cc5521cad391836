"""The data sets that are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from breastseg.core.errors import DataSetError
from breastseg.data.bcdr import Bcdr
from breastseg.data.bcss import Bcss
from breastseg.data.bcss_tiles import BcssTiles
from breastseg.data.bus_bra import BusBra
from breastseg.data.busi import Busi
from breastseg.data.cbis_ddsm import CbisDdsm, CbisDdsmCalcifications
from breastseg.data.cdd_cesm import CddCesm, CddCesmLowEnergy
from breastseg.data.dataset import DataSet
from breastseg.data.ddsm import Ddsm, DdsmAbnormalities
from breastseg.data.duke import Duke
from breastseg.data.duke_dicom import DukeDicom
from breastseg.data.folder import Folder
from breastseg.data.inbreast import Inbreast, InbreastRegions
from breastseg.data.mama_mia import MamaMia
from breastseg.data.manifest import Manifest
from breastseg.data.nnunet import NnUnet
from breastseg.data.tnbc import Tnbc

DATA_SETS: Mapping[str, Callable[[Path], DataSet]] = MappingProxyType(
    {
        "BUSI": Busi,
        "BUS-BRA": BusBra,
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
    }
)


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
        "use folder=PATH for pictures of your own",
    )


def parse_source(text: str) -> tuple[str, Path]:
    """Split ``"BUSI=/path"`` into the name and the folder, for `open_data_set`.

    Raises:
        DataSetError: there is no name or no folder.
    """
    name, _, path = text.partition("=")
    if not name.strip() or not path.strip():
        raise DataSetError(f"source {text!r}", "NAME=FOLDER, for example BUSI=data/BUSI")
    return name.strip(), Path(path.strip()).expanduser()
