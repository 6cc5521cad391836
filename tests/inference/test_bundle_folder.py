import json
from dataclasses import replace
from pathlib import Path

import pytest

from breastseg.core import Bundle, Fit, InputSpec, Intensity, Modality, OutputSpec, VolumeSpec
from breastseg.core.errors import BundleError
from breastseg.core.measured import Measured
from breastseg.inference.bundle_folder import (
    read_bundle,
    read_measured,
    write_bundle_json,
    write_measured,
)


def change(folder: Path, **fields: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def remove(folder: Path, field: str) -> None:
    path = folder / "bundle.json"
    content = json.loads(path.read_text())
    del content[field]
    path.write_text(json.dumps(content))


def test_what_was_written_is_read(make_tiny):
    folder = make_tiny()
    bundle = Bundle(
        name="ultra-sound.2",
        version="2.1",
        modality=Modality.MAMMOGRAPHY,
        summary="für alle",
        network="n",
        weights_sha256=read_bundle(folder).weights_sha256,
        input=InputSpec((64, 32), Intensity.ZSCORE, Fit.PAD, 3),
        output=OutputSpec(0.4, 0.6, 0.001, True, True),
        labels={1: "mass"},
        training_data=("a", "b"),
        licence="CC-BY-4.0",
        extensions={"viewer": {"colour": [1, None, {"deep": True}]}},
    )
    write_bundle_json(folder, bundle)
    assert read_bundle(folder) == bundle


def test_fields_with_a_default_may_be_left_out(make_tiny):
    folder = make_tiny(InputSpec())
    for field in ("input", "output", "labels", "training_data", "licence"):
        remove(folder, field)
    bundle = read_bundle(folder)
    assert bundle.input == InputSpec()
    assert bundle.labels == {1: "lesion"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"nane": "x"}, "unknown field 'nane'. Expected: only name, version, modality,"),
        ({"nane": "x"}, "put what is your own under 'extensions'"),
        ({"x" * 999: 1}, "unknown field 'xxx"),
        ({"results": {}}, "unknown field 'results'"),
        (
            {"malignancy": {"bias": 1}},
            "malignancy: unknown field 'bias'. Expected: only slope, intercept",
        ),
        ({"volume": {"patch_size": []}}, "volume: unknown field 'patch_size'"),
        ({"volume": {}, "input": {"size": [64, 64]}}, "both input and volume"),
        ({"volume": {"patch": [1024, 1024, 1024]}}, "patches of (1024, 1024, 1024) voxels"),
        ({"volume": {}, "input": {}, "labels": {"1": "a", "2": "b"}}, "2 labels of volumes"),
        (
            {"format": 2},
            "format 2. Expected: format 1. Try: read it with the version that wrote it",
        ),
        ({"format": "1"}, "format 1. Expected: format 1"),
        ({"format": True}, "format True"),
        ({"extensions": []}, "extensions is []. Expected: an object"),
        ({"output": {"threshold": 10**400}}, "output.threshold is 1000"),
        ({"output": {"temperature": 1e300}}, "temperature = 1e+300"),
        ({"labels": {"1": "a", "01": "b"}}, "labels: keys ['1', '01']. Expected: whole numbers"),
        ({"labels": {"9" * 5000: "a"}}, "labels: keys ['9"),
        ({"labels": {"\u0661": "a"}}, "labels: keys"),
        ({"extensions": {"a": float("inf")}}, "Infinity'. Expected: finite numbers"),
        ({"output": {"treshold": 0.5}}, "output: unknown field 'treshold'"),
        ({"version": 1}, "version is 1. Expected: text"),
        ({"version": None}, "version is None. Expected: text"),
        ({"modality": "x-ray"}, "modality is 'x-ray'. Expected: \"ultrasound\" or"),
        ({"modality": 3}, "modality is 3"),
        ({"input": []}, "input is []. Expected: an object"),
        ({"input": {"size": [256]}}, "input.size is [256]. Expected: a list of 2 values"),
        ({"input": {"size": 256}}, "input.size is 256. Expected: a list"),
        ({"input": {"size": [256, 256.0]}}, "input.size[1] is 256.0. Expected: a whole number"),
        ({"input": {"size": [256, True]}}, "input.size[1] is True. Expected: a whole number"),
        ({"input": {"size": [2, 2]}}, "input: size = (2, 2)"),
        ({"input": {"channels": 2}}, "an input of 2 channels"),
        ({"input": {"intensity": "loud"}}, "input.intensity is 'loud'"),
        ({"output": {"threshold": "0.5"}}, "output.threshold is '0.5'. Expected: a finite number"),
        ({"output": {"threshold": 1.5}}, "threshold = 1.5"),
        ({"output": {"largest_only": 1}}, "output.largest_only is 1. Expected: true or false"),
        ({"labels": {"one": "lesion"}}, "labels: keys ['one']. Expected: whole numbers from 0"),
        (
            {"labels": {"1": "a", "3": "b"}},
            "labels [1, 3]. Expected: 1 to at most 15, without a gap",
        ),
        ({"labels": {"0": "a"}}, "labels [0]"),
        (
            {"labels": {"1": "a", "2": "a"}},
            "labels named ['a']. Expected: a name each, all different",
        ),
        ({"labels": {"1": ""}}, "labels named ['']"),
        ({"malignancy": {"slope": 1.0}}, "malignancy of labels named ['lesion']"),
        ({"malignancy": {"slope": -1.0}}, "malignancy: slope -1.0"),
        ({"labels": "lesion"}, "labels is 'lesion'. Expected: an object"),
        ({"training_data": "BUSI"}, "training_data is 'BUSI'. Expected: a list"),
        ({"name": "../up"}, "name is '../up'"),
        ({"weights_sha256": "abc"}, "weights_sha256 is 'abc'"),
        ({"weights_sha256": "0" * 64}, "SHA-256"),
        ({"version": json.loads("[" * 900 + "]" * 900)}, "version is [[[["),
        ({"summary": "x" * 999 + "\n", "version": ["x" * 999]}, "version is ['xxx"),
    ],
)
def test_a_wrong_field_is_one_clear_line(make_tiny, fields, said):
    folder = make_tiny()
    change(folder, **fields)
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
    assert len(message.replace(str(folder), "")) < 400
    assert str(folder) in message


@pytest.mark.parametrize("field", ["name", "version", "modality", "summary", "weights_sha256"])
def test_a_missing_field_is_named(make_tiny, field):
    folder = make_tiny()
    remove(folder, field)
    with pytest.raises(BundleError, match=f"field '{field}' is missing"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        "[" * 100_000,
        '{"a": ' * 100_000,
        '{"name": "a", "name": "b"}',
        '{"a": 1e999}',
    ],
)
def test_broken_json_is_a_bundle_error(make_tiny, text):
    folder = make_tiny()
    (folder / "bundle.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match=r"bundle\.json"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx"])
def test_a_missing_file_is_named(make_tiny, name):
    folder = make_tiny()
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(folder)


def test_a_missing_folder(tmp_path):
    with pytest.raises(BundleError, match="no such folder"):
        read_bundle(tmp_path / "none")


def test_a_changed_network_is_noticed_unless_not_asked_for(make_tiny):
    folder = make_tiny()
    with (folder / "model.onnx").open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(BundleError, match="damaged or of another bundle"):
        read_bundle(folder)
    assert read_bundle(folder, verify=False).name == "tiny"


def test_nothing_is_written_that_could_not_be_read(make_tiny):
    folder = make_tiny()
    before = (folder / "bundle.json").read_bytes()
    bundle = read_bundle(folder)
    for wrong in (
        {"name": "No spaces please"},
        {"weights_sha256": ""},
        {"labels": {}},
        {"extensions": {"a": float("inf")}},
        {"extensions": {"a": {1, 2}}},
    ):
        with pytest.raises(BundleError):
            write_bundle_json(folder, replace(bundle, **wrong))
    with pytest.raises(BundleError, match="not finite"):
        write_measured(folder, Measured("0" * 64, {"p": {"dice": float("inf")}}))
    assert (folder / "bundle.json").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == ["bundle.json", "model.onnx"]


def test_a_bundle_without_a_format_is_refused(make_tiny):
    folder = make_tiny()
    remove(folder, "format")
    with pytest.raises(
        BundleError, match=r"field 'format' is missing. Expected: format 1. Try: make the bundle"
    ):
        read_bundle(folder)


def test_a_bundle_for_volumes_says_nothing_of_images(make_tiny):
    folder = make_tiny(InputSpec())
    bundle = replace(read_bundle(folder), volume=VolumeSpec(orientation="LPS"))
    write_bundle_json(folder, bundle)
    assert "input" not in json.loads((folder / "bundle.json").read_text())
    assert read_bundle(folder) == bundle


def test_nothing_is_written_as_null(make_tiny):
    folder = make_tiny()
    write_bundle_json(folder, replace(read_bundle(folder), extensions={"a": None}))
    written = json.loads((folder / "bundle.json").read_text())
    assert written["extensions"] == {"a": None}
    assert None not in (*written.values(), *written["input"].values())


class TestMeasured:
    def test_what_was_written_is_read(self, make_tiny):
        folder = make_tiny()
        bundle = read_bundle(folder)
        assert read_measured(folder, bundle).results == {}
        results = {"p": {"dice": 0.9, "images": 4.0, "protocol": "as said"}}
        write_measured(folder, Measured(bundle.weights_sha256, results))
        assert read_measured(folder, bundle).results == results

    def test_figures_of_other_weights_are_refused(self, make_tiny):
        folder = make_tiny()
        write_measured(folder, Measured("0" * 64))
        with pytest.raises(BundleError, match="figures of the weights '000000000000'"):
            read_measured(folder, read_bundle(folder))

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            (
                {"results": {"p": {"dice": None}}},
                "results.p.dice is None. Expected: a whole number or a finite number or text",
            ),
            ({"results": {"p": {"dice": float("nan")}}}, "'NaN'. Expected: finite numbers"),
            ({"figures": {}}, "unknown field 'figures'. Expected: only weights_sha256, results"),
            ({"format": 3}, "format 3"),
        ],
    )
    def test_a_wrong_field_is_one_clear_line(self, make_tiny, fields, said):
        folder = make_tiny()
        bundle = read_bundle(folder)
        write_measured(folder, Measured(bundle.weights_sha256))
        path = folder / "measured.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))
        with pytest.raises(BundleError) as caught:
            read_measured(folder, bundle)
        assert said in str(caught.value)
        assert str(path) in str(caught.value)
