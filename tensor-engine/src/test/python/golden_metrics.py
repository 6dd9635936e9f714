"""Golden values of io.fragua.metrics: scikit-learn's, in f64.

    python golden_metrics.py > ../resources/golden/metrics.json

Made with scikit-learn 1.9.1 (CPU). The names of the cases are those of MetricCases.
"""

import json

import numpy as np
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(3)
N = 200


def case(predictions, labels, **values):
    def data(v):
        v = np.asarray(v)
        return {"shape": list(v.shape), "whole": v.dtype.kind == "i", "values": v.reshape(-1).tolist()}

    return {
        "predictions": data(predictions),
        "labels": data(labels),
        "values": {n: np.asarray(v, float).reshape(-1).tolist() for n, v in values.items()},
    }


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def auc(scores, labels):
    return case(scores, labels.astype(float), value=m.roc_auc_score(labels, scores))


def errors(p, y):
    return case(
        p,
        y,
        value=m.mean_squared_error(y, p),
        rmse=m.root_mean_squared_error(y, p),
        mae=m.mean_absolute_error(y, p),
        r2=m.r2_score(y, p),
        mape=m.mean_absolute_percentage_error(y, p),
        most=m.max_error(y, p),
    )


def log_loss(p, y, as_labels):
    v = m.log_loss(y, p)
    return case(p, as_labels(y), value=v, perplexity=np.exp(v))


def confusion(p, y, k):
    all_classes = dict(labels=list(range(k)), zero_division=0)
    each = m.precision_recall_fscore_support(y, p, **all_classes)
    mean = m.precision_recall_fscore_support(y, p, average="macro", **all_classes)
    weighted = m.precision_recall_fscore_support(y, p, average="weighted", **all_classes)
    return case(
        p,
        y,
        value=mean[2],
        accuracy=m.accuracy_score(y, p),
        counts=m.confusion_matrix(y, p, labels=list(range(k))),
        precision=each[0],
        recall=each[1],
        f1=each[2],
        macro_precision=mean[0],
        macro_recall=mean[1],
        weighted_precision=weighted[0],
        weighted_f1=weighted[2],
        micro_f1=m.f1_score(y, p, average="micro"),
        balanced_accuracy=m.balanced_accuracy_score(y, p),
        matthews=m.matthews_corrcoef(y, p),
        kappa=m.cohen_kappa_score(y, p),
    )


def precision(scores, labels):
    return case(scores, labels.astype(float), value=m.average_precision_score(labels, scores))


def calibration(p, y, bins):
    """scikit-learn gives the bins that have rows; how many they have is counted here."""
    share, mean = calibration_curve(y, p, n_bins=bins)
    rows = np.bincount(np.minimum((p * bins).astype(int), bins - 1), minlength=bins)
    distance = np.abs(share - mean)
    value = (distance * rows[rows > 0]).sum() / len(p)
    return case(p, y.astype(float), value=value, most=distance.max(), brier=m.brier_score_loss(y, p))


binary = rng.integers(0, 2, N).astype(np.int32)
scores = rng.normal(size=N) + binary
rare = (rng.random(N) < 0.03).astype(np.int32)
rare[0] = 1
classes = rng.integers(0, 4, N).astype(np.int32)
logits = rng.normal(size=(N, 4)) + 1.5 * np.eye(4)[classes]
guess = logits.argmax(1).astype(np.int32)
never = np.where(guess == 2, 0, guess).astype(np.int32)
probability = 1 / (1 + np.exp(-scores))
certain = np.where(rng.random(N) < 0.3, np.round(probability), probability)
y = rng.normal(size=N)

print(
    json.dumps(
        {
            "accuracy": case(guess, classes, value=m.accuracy_score(classes, guess)),
            "accuracy of scores": case(logits, classes, value=m.accuracy_score(classes, guess)),
            "auc": auc(scores, binary),
            "auc with ties": auc(np.round(scores), binary),
            "auc of a rare label": auc(scores, rare),
            "auc of equal scores": auc(np.zeros(N), binary),
            "log loss": log_loss(probability, binary, lambda v: v.astype(float)),
            "log loss of certainties": log_loss(certain, binary, lambda v: v.astype(float)),
            "log loss of classes": log_loss(softmax(logits), classes, lambda v: v),
            "confusion": confusion(guess, classes, 4),
            "confusion with a class never predicted": confusion(never, classes, 4),
            "confusion with a class that is not there": confusion(guess, classes, 5),
            "top 1": case(logits, classes, value=m.top_k_accuracy_score(classes, logits, k=1)),
            "top 2": case(logits, classes, value=m.top_k_accuracy_score(classes, logits, k=2)),
            "average precision": precision(scores, binary),
            "average precision with ties": precision(np.round(scores), binary),
            "average precision of a rare label": precision(scores, rare),
            "average precision of equal scores": precision(np.zeros(N), binary),
            "calibration": calibration(probability, binary, 10),
            "calibration of certainties": calibration(certain, binary, 7),
            "errors": errors(y + rng.normal(size=N) / 3, y),
            "errors far from 0": errors(1e3 + y + rng.normal(size=N), 1e3 + y),
        },
        indent=1,
    )
)
