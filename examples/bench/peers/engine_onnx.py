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

    def session(self, x, y):
        value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        weights = [numpy_helper.from_array(np.ascontiguousarray(w), k) for k, w in self.weights.items()]
        graph = helper.make_graph(self.nodes, "bench", [value("x", x.shape)], [value(y, x.shape)], weights)
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
