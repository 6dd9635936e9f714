"""Golden values of io.fragua.metrics with weights of rows: scikit-learn's, in f64.

    python golden_weighted_metrics.py > ../resources/golden/weighted_metrics.json

Made with scikit-learn 1.9.1 and numpy (CPU). Every tenth weight is 0.
"""

import json

import numpy as np
from sklearn import metrics as m

rng = np.random.default_rng(31)
N = 120
w = rng.random(N) * 3
w[::10] = 0
binary = rng.integers(0, 2, N)
scores = np.round(rng.normal(size=N) + binary, 1)
probability = 1 / (1 + np.exp(-scores))
classes = rng.integers(0, 3, N)
guess = np.where(rng.random(N) < 0.6, classes, rng.integers(0, 3, N))
y = 1e3 + rng.normal(size=N)
p = y + rng.normal(size=N) / 3
weigh = dict(sample_weight=w)
each = m.precision_recall_fscore_support(classes, guess, **weigh)
print(
    json.dumps(
        {
            "weights": w.tolist(),
            "binary": binary.tolist(),
            "scores": scores.tolist(),
            "probability": probability.tolist(),
            "classes": classes.tolist(),
            "guess": guess.tolist(),
            "y": y.tolist(),
            "p": p.tolist(),
            "values": {
                "accuracy": m.accuracy_score(classes, guess, **weigh),
                "auc": m.roc_auc_score(binary, scores, **weigh),
                "log loss": m.log_loss(binary, probability, **weigh),
                "mse": m.mean_squared_error(y, p, **weigh),
                "rmse": m.root_mean_squared_error(y, p, **weigh),
                "mae": m.mean_absolute_error(y, p, **weigh),
                "mape": m.mean_absolute_percentage_error(y, p, **weigh),
                "r2": m.r2_score(y, p, **weigh),
                "weighted mean": np.average(p, weights=w),
                "confusion accuracy": m.accuracy_score(classes, guess, **weigh),
                "precision of 1": each[0][1],
                "recall of 1": each[1][1],
                "f1 of 1": each[2][1],
                "macro f1": m.f1_score(classes, guess, average="macro", **weigh),
                "weighted f1": m.f1_score(classes, guess, average="weighted", **weigh),
                "balanced accuracy": m.balanced_accuracy_score(classes, guess, **weigh),
                "matthews": m.matthews_corrcoef(classes, guess, **weigh),
                "kappa": m.cohen_kappa_score(classes, guess, **weigh),
            },
        },
        indent=1,
    )
)
