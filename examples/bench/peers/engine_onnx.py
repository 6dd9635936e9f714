"""Workloads of `bin/fragua bench engine` in ONNX Runtime; see engine.py."""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper

NAMES = {"onnxruntime": f"ONNX Runtime {ort.__version__}"}
PREPARE = {}
options = ort.SessionOptions()


def threads(n):
    options.intra_op_num_threads = n
    options.inter_op_num_threads = 1


def workload(f):
    PREPARE[f.__name__] = f
    return f


class Model:
    """Nodes and weights of an ONNX graph being written."""

    def __init__(self, weights):
        self.nodes, self.weights = [], dict(weights)

    def op(self, kind, *inputs, **attributes):
        out = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def constant(self, values):
        name = "c" + "_".join(map(str, values))
        self.weights[name] = np.array(values, np.int64)
        return name

    def session(self, x, y, shape=None):
        value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        weights = [numpy_helper.from_array(np.ascontiguousarray(w), k) for k, w in self.weights.items()]
        graph = helper.make_graph(self.nodes, "bench", [value("x", x.shape)], [value(y, shape or x.shape)], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@workload
def encoder(peer, settings, inputs):
    x = inputs.pop("x")
    b, t, d = x.shape
    h = settings["heads"]
    for k in [k for k in inputs if ".query." in k]:  # scaled once, not at every run
        inputs[k] = inputs[k] / np.float32(np.sqrt(d // h))
    m, now = Model(inputs), "x"
    for i in range(settings["layers"]):
        at = f"layer_{i}."
        dense = lambda name, v: m.op("Add", m.op("MatMul", v, at + name + ".kernel"), at + name + ".bias")
        norm = lambda name, v: m.op(
            "LayerNormalization", v, at + name + ".scale", at + name + ".bias", axis=-1, epsilon=1e-6
        )
        split = lambda v, perm: m.op("Transpose", m.op("Reshape", v, m.constant([b, t, h, d // h])), perm=perm)
        q = split(dense("attention.query", now), [0, 2, 1, 3])
        k = split(dense("attention.key", now), [0, 2, 3, 1])
        v = split(dense("attention.value", now), [0, 2, 1, 3])
        heard = m.op("MatMul", m.op("Softmax", m.op("MatMul", q, k), axis=-1), v)
        heard = m.op("Reshape", m.op("Transpose", heard, perm=[0, 2, 1, 3]), m.constant([b, t, d]))
        now = norm("layer_norm_0", m.op("Add", now, dense("attention.out", heard)))
        hidden = m.op("Gelu", dense("dense_0", now), approximate="tanh")
        now = norm("layer_norm_1", m.op("Add", now, dense("dense_1", hidden)))
    session = m.session(x, now)
    run = lambda: session.run(None, {"x": x})[0]
    return {"y": run()}, run


@workload
def resnet(peer, settings, inputs):
    x = np.ascontiguousarray(inputs.pop("x").transpose(0, 3, 1, 2))
    classes = inputs["head.bias"].shape
    m = Model({k: v.transpose(3, 2, 0, 1) if v.ndim == 4 else v for k, v in inputs.items()})

    def conv(name, v, stride):
        k = m.weights[name + ".kernel"].shape[-1]
        v = m.op("Conv", v, name + ".kernel", strides=[stride] * 2, pads=[k // 2] * 4)
        norm = [f"{name}.norm.{part}" for part in ("scale", "bias", "mean", "var")]
        return m.op("BatchNormalization", v, *norm, epsilon=1e-5)

    now = m.op("Relu", conv("stem", "x", 2))
    now = m.op("MaxPool", now, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for b in range(blocks):
            at, stride = f"stage_{stage}_block_{b}.", 2 if stage and not b else 1
            h = m.op("Relu", conv(at + "reduce", now, 1))
            h = m.op("Relu", conv(at + "wide", h, stride))
            h = conv(at + "expand", h, 1)
            around = now if b else conv(at + "project", now, stride)
            now = m.op("Relu", m.op("Add", h, around))
    now = m.op("Flatten", m.op("GlobalAveragePool", now))
    now = m.op("Gemm", now, "head.kernel", "head.bias")
    session = m.session(x, now, x.shape[:1] + classes)
    run = lambda: session.run(None, {"x": x})[0]
    return {"y": run()}, run
