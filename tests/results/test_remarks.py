"""What a method or a prompt needs to have said is said in results, in Python and in the service."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from breastseg import segment
from breastseg.core.box import Box
from breastseg.core.bundle import TRAINED_ON_SYNTHETIC
from breastseg.core.grid import Grid
from breastseg.core.image import Image, Modality
from breastseg.core.prompt import Prompt
from breastseg.inference.bundle_folder import read_bundle
from breastseg.inference.catalogue import shipped_bundles
from breastseg.results.remarks import marked, method_remarks

IMAGE = Image(np.full((1, 30, 40), 9, np.uint8), Grid((30, 40)), Modality.ULTRASOUND)


def test_a_network_trained_on_synthetic_images_says_so() -> None:
    phantom = SimpleNamespace(bundle=read_bundle(shipped_bundles()["mri-phantom"], verify=False))
    patients = SimpleNamespace(bundle=replace(phantom.bundle, training_data=("BUSI, 530 images",)))
    assert method_remarks(phantom) == (TRAINED_ON_SYNTHETIC,)
    assert method_remarks(patients) == ()
    assert method_remarks(SimpleNamespace(segmenters=(patients, phantom))) == (
        TRAINED_ON_SYNTHETIC,
    )
    assert marked(IMAGE, phantom).remarks == (*IMAGE.remarks, TRAINED_ON_SYNTHETIC)


def test_a_box_that_reaches_beyond_the_image_is_cut_with_a_remark() -> None:
    inside = Prompt(box=Box.of(0, 0, 30, 40))
    assert inside.cut_remark((30, 40)) is None
    assert Prompt(inside=((1, 1),)).cut_remark((30, 40)) is None
    beyond = Prompt(box=Box.of(-9, 35, 99, 99)).cut_remark((30, 40))
    assert beyond is not None
    assert beyond.endswith(f"reaches beyond the image and was cut to {Box.of(0, 35, 30, 40)}")
    made = segment(IMAGE, "otsu", box=(5, 5, 50, 20))
    assert made.image is not None
    assert "reaches beyond the image and was cut" in made.image.remarks[-1]
