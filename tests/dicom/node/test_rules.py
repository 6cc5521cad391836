"""Which method takes an instance, and which bundles may do so unasked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.core.errors import BreastsegError, InputError
from breastseg.dicom.node.config import NodeConfig, Rule, WebDestination, read_config
from breastseg.dicom.node.node import Node
from breastseg.dicom.node.rules import (
    Header,
    _best,
    choose,
    default_rules,
    handlers,
    normals_outlined,
)

US = Header(
    "1.2", "1.2.840.10008.5.1.4.1.1.6.1", "1", "P1", "US", "BREAST", "ROOM1", "Left breast", None
)


@pytest.mark.parametrize(
    "rule",
    [
        Rule("otsu"),
        Rule("otsu", modality="us", body_part="breast", station="room1", series="LEFT"),
        Rule("otsu", sop_class="1.2.840.10008.5.1.4.1.1.6.1"),
    ],
)
def test_a_rule_fits_by_all_that_it_states(rule: Rule) -> None:
    assert choose(handlers([rule], False), US) is not None


@pytest.mark.parametrize(
    "rule",
    [
        Rule("otsu", "MG", preset="none"),
        Rule("otsu", "US", "THYROID"),
        Rule("otsu", series="right"),
    ],
)
def test_a_rule_does_not_fit_by_half(rule: Rule) -> None:
    assert choose(handlers([rule], False), US) is None


def test_the_first_rule_that_fits_counts() -> None:
    rules = [Rule("otsu", modality="MG", preset="none"), Rule("sobel"), Rule("otsu")]
    found = choose(handlers(rules, True), US)
    assert found is not None
    assert found.rule.method == "sobel"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"modality": "USS"}, "modality = 'USS'.*fits nothing.*one of US, MG, MR"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.6.2"}, "sop_class = .*fits nothing"),
        ({"station": "ROOM1 "}, "station = 'ROOM1 '"),
        ({"body_part": "BREAST\\CHEST"}, "body_part"),
        ({"modality": "MR", "sop_class": US.sop_class}, "whose sop_class is of ultrasound"),
        ({"modality": "MG"}, "preset = 'ultrasound'.*takes mammography.*mammography or none"),
        ({"method": "ultrasound", "modality": "mr"}, "for ultrasound, takes mri"),
        ({"method": "mri-phantom", "sop_class": US.sop_class}, "for mri, takes ultrasound"),
    ],
)
def test_a_rule_that_would_never_fit_or_always_fail_is_refused(
    keys: dict[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        handlers([Rule(**{"method": "otsu", **keys})], False)


def test_only_a_bundle_with_few_false_alarms_that_saw_patients_is_a_default() -> None:
    assert default_rules() == (Rule("ultrasound", modality="US"),)
    assert choose(handlers((), True), replace(US, modality="MG")) is None
    assert choose(handlers((), True), replace(US, modality="MR")) is None


def test_of_the_fit_bundles_the_one_with_the_highest_dice_on_common_protocols_is_taken() -> None:
    dices = {
        "a": {"x": 0.7, "y": 0.5},
        "b": {"x": 0.6, "y": 0.7, "easy": 0.9},
        "c": {"x": 0.8, "y": 0.4},
    }
    assert _best(dices) == "b"
    assert _best({"b": {"x": 0.9}, "a": {}}) == "a"


def test_a_bundle_is_judged_by_its_worst_figure_and_without_one_not_fit(tmp_path: Path) -> None:
    assert normals_outlined(tmp_path) is None
    key = "normal images/fraction_outlined"
    results = {"a": {key: 0.1}, "b": {key: 0.3}, "c": {"other": 1}}
    (tmp_path / "measured.json").write_text(json.dumps({"results": results}))
    assert normals_outlined(tmp_path) == 0.3


def test_a_method_trained_on_synthetic_images_is_known_and_a_slide_method_refused() -> None:
    (volume,) = handlers([Rule("mri-phantom", modality="MR")], False)
    assert (volume.dimensions, volume.synthetic) == (3, True)
    (image,) = handlers([Rule("ultrasound")], False)
    assert (image.dimensions, image.synthetic) == (2, False)
    with pytest.raises(InputError, match="nucle"):
        handlers([Rule("histopathology-nuclei")], False)
    with pytest.raises(BreastsegError, match="no-such"):
        handlers([Rule("no-such")], False)


CONFIG = """
folder = "store"
[listen]
peers = ["US1", "*"]
[[rules]]
modality = "MR"
method = "mri-phantom"
[[dicom]]
name = "pacs"
ae_title = "ORTHANC"
host = "127.0.0.1"
port = 4242
[[folders]]
name = "files"
path = "/out"
"""


def test_a_configuration_is_read_with_paths_beside_it(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text(CONFIG)
    config = read_config(tmp_path / "node.toml")
    assert config.folder == tmp_path / "store"
    assert config.folders[0].path == Path("/out")
    assert [one.name for one in config.destinations] == ["pacs", "files"]
    assert config.listen is not None
    assert config.listen.port == 11112


def test_the_folder_of_a_bundle_is_relative_to_the_file_too(tmp_path: Path) -> None:
    (tmp_path / "bundles" / "own").mkdir(parents=True)
    for said, meant in (("bundles/own", str(tmp_path / "bundles/own")), ("otsu", "otsu")):
        (tmp_path / "node.toml").write_text(CONFIG.replace("mri-phantom", said))
        assert read_config(tmp_path / "node.toml").rules[0].method == meant


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('folder = "store"', "", "no folder"),
        ('folder = "store"', 'folder = "s"\nquiet = 3', "unknown key quiet"),
        ('folder = "store"', 'folder = "s"\nquiet_s = -3', "quiet_s = -3"),
        ('folder = "store"', 'folder = "s"\nfirst_wait_s = 9\nlongest_wait_s = 5', "first_wait_s"),
        ("port = 4242", "port = 70000", "port"),
        ('"ORTHANC"', '"A TITLE THAT IS TOO LONG"', "16 ASCII"),
        ('["US1", "*"]', "[]", "peers"),
        ('name = "files"', 'name = "pacs"', "2 destinations named 'pacs'"),
        ("[listen]", "[listen]\ncertificate = 'x'", "without a key"),
        ("[listen]", "[listen", "TOML"),
    ],
)
def test_a_configuration_that_could_not_work_is_refused(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    (tmp_path / "node.toml").write_text(CONFIG.replace(before, after))
    with pytest.raises(InputError, match="(?i)" + told.replace("[", r"\[")):
        read_config(tmp_path / "node.toml")


def test_the_guide_shows_a_configuration_that_can_be_read(tmp_path: Path) -> None:
    guide = Path(__file__).parents[3] / "docs" / "how-to" / "node.md"
    (tmp_path / "node.toml").write_text(guide.read_text().split("```toml\n")[1].split("```")[0])
    assert len(read_config(tmp_path / "node.toml").destinations) == 2


def test_waits_double_up_to_the_longest() -> None:
    config = NodeConfig(Path("x"), first_wait_s=5, longest_wait_s=60)
    assert [config.wait_s(tries) for tries in (1, 2, 3, 4, 5, 10**6)] == [5, 10, 20, 40, 60, 60]


def test_a_secret_that_is_not_there_is_told_before_anything_is_received(tmp_path: Path) -> None:
    pytest.importorskip("dicomweb_client", reason="needs the dicom extra")
    web = WebDestination("web", "https://archive.example", secret_file=tmp_path / "token")
    config = NodeConfig(tmp_path / "node", dicomweb=(web,))
    with pytest.raises(InputError, match="token: cannot be read"):
        Node(config, lambda _rule: pytest.fail("opened"), tmp_path)
    assert not (tmp_path / "node").exists()
