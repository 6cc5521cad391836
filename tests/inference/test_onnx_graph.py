"""What a network's file may hold is read from its bytes; the onnx package is the oracle."""

import numpy as np
import pytest

from breastseg.core import InputSpec, Intensity
from breastseg.core.errors import BundleError
from breastseg.inference.catalogue import shipped_bundles
from breastseg.inference.onnx_graph import check_network, contents
from breastseg.inference.session import OnnxNetwork

onnx = pytest.importorskip("onnx")
helper, numpy_helper, FLOAT = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT
SPEC = InputSpec((16, 16), Intensity.UNIT)


def save(path, nodes, initializers=(), channels=1, domains=(), size=SPEC.size):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", FLOAT, ["N", 1, *SPEC.size])],
        [helper.make_tensor_value_info("probability", FLOAT, ["N", channels, *size])],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(d, 1) for d in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    path.write_bytes(model.SerializeToString())
    return model


def identity(name="probability"):
    return helper.make_node("Identity", ["image"], [name])


@pytest.mark.parametrize("name", shipped_bundles())
def test_the_operators_of_the_shipped_networks_are_those_that_onnx_reads(name):
    path = shipped_bundles()[name] / "model.onnx"
    found = contents(path)
    assert found.operators == tuple(sorted({n.op_type for n in onnx.load(path).graph.node}))
    assert not found.external


def test_an_operator_of_another_domain_says_so(tmp_path):
    path = tmp_path / "m.onnx"
    save(path, [helper.make_node("Gelu", ["image"], ["probability"], domain="com.x")], (), 1, "x")
    assert contents(path).operators == ("com.x:Gelu",)


def test_weights_in_another_file_are_refused(tmp_path):
    path = tmp_path / "m.onnx"
    weights = numpy_helper.from_array(np.ones((1, 1, 99, 99), np.float32), "w")
    node = helper.make_node("Conv", ["image", "w"], ["probability"], pads=[49] * 4)
    model = save(path, [node], [weights])
    check_network(path)
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    with pytest.raises(BundleError, match="weights lie in other files, which no digest covers"):
        OnnxNetwork(path, SPEC, 1)


def test_a_constant_in_another_file_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "c")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    nodes = [
        helper.make_node("Constant", [], ["c"], value=tensor),
        helper.make_node("Add", ["image", "c"], ["probability"]),
    ]
    save(path, nodes)
    with pytest.raises(BundleError, match="weights lie in other files"):
        check_network(path)


def loop(path):
    """A network that goes round 2^62 times."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["on"]),
            helper.make_node("Identity", ["before"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info("going", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", FLOAT, ["N", 1, *SPEC.size]),
        ],
        [
            helper.make_tensor_value_info("on", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", FLOAT, ["N", 1, *SPEC.size]),
        ],
    )
    constants = [numpy_helper.from_array(np.int64(2**62), "n")]
    constants.append(numpy_helper.from_array(np.bool_(True), "go"))
    return save(
        path,
        [helper.make_node("Loop", ["n", "go", "image"], ["probability"], body=body)],
        constants,
    )


def test_a_network_that_loops_is_refused_before_it_runs(tmp_path):
    path = tmp_path / "m.onnx"
    loop(path)
    with pytest.raises(
        BundleError, match=r"control flow \(Loop\). Expected: none of If, Loop, Scan"
    ):
        OnnxNetwork(path, SPEC, 1)


def test_a_loop_in_a_function_is_seen(tmp_path):
    path = tmp_path / "m.onnx"
    (node,) = loop(path).graph.node
    inner = type(node).FromString(node.SerializeToString())
    function = helper.make_function(
        "mine", "F", ["n", "go", "image"], ["probability"], [inner], [helper.make_opsetid("", 18)]
    )
    model = save(path, [identity()], domains=["mine"])
    model.functions.append(function)
    path.write_bytes(model.SerializeToString())
    assert contents(path).operators == ("Identity", "Loop")
    with pytest.raises(BundleError, match="functions of its own"):
        check_network(path)


@pytest.mark.parametrize(
    "data",
    [
        b"\x3a\xff",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x03",
        b"GIF89a",
        b"\x08",
    ],
)
def test_other_bytes_are_no_network(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(BundleError, match="not a network in ONNX"):
        check_network(path)


@pytest.mark.parametrize("value", [-3.0, 7.5, float("nan"), float("inf")])
def test_answers_outside_0_to_1_are_refused(tmp_path, value):
    path = tmp_path / "m.onnx"
    constant = numpy_helper.from_array(np.float32(value), "c")
    save(path, [helper.make_node("Add", ["image", "c"], ["probability"])], [constant])
    network = OnnxNetwork(path, SPEC, 1)
    with pytest.raises(
        BundleError, match=r"the network gave values of .*. Expected: probabilities of 0 to 1"
    ):
        network(np.zeros((1, 1, *SPEC.size), np.float32))


def test_classes_that_do_not_add_up_are_refused(tmp_path):
    path = tmp_path / "m.onnx"
    save(path, [helper.make_node("Concat", ["image"] * 3, ["probability"], axis=1)], (), 3)
    network = OnnxNetwork(path, SPEC, 1, outputs=3)
    third = np.full((1, 1, *SPEC.size), 1 / 3, np.float32)
    assert network(third).shape == (1, 3, *SPEC.size)
    with pytest.raises(BundleError, match=r"add up to 1 but for 0\.5"):
        network(third * 1.5)


def test_an_answer_of_another_size_is_refused(tmp_path):
    path = tmp_path / "m.onnx"
    nodes = [
        helper.make_node("Shape", ["image"], ["n"], end=1),
        helper.make_node("Slice", ["image", "first", "n", "axis"], ["probability"]),
    ]
    constants = [numpy_helper.from_array(np.array([v]), k) for k, v in (("first", 0), ("axis", 2))]
    save(path, nodes, constants, size=["h", "w"])
    network = OnnxNetwork(path, SPEC, 1)
    with pytest.raises(
        BundleError, match=r"an array of \(1, 1, 1, 16\). Expected: \(1, 1, 16, 16\)"
    ):
        network(np.zeros((1, 1, *SPEC.size), np.float32))
