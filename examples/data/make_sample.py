"""Draws the sample that the examples run on by default.

    python make_sample.py flights-3m.parquet flights-sample.parquet

Needs pyarrow and pandas. The same input and seed give the same rows in the same order: rows are drawn
without replacement, keep the order of the source (by departure time) and the source's schema.
"""

import argparse
import os

import numpy as np
import pyarrow.parquet as pq

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("source", help="the full file")
parser.add_argument("target", help="where the sample goes")
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--row-group", type=int, default=125_000, help="rows of a row group; tasks share the file by these")
parser.add_argument("--seed", type=int, default=20010101)
args = parser.parse_args()

table = pq.read_table(args.source)
rows = np.sort(np.random.default_rng(args.seed).choice(table.num_rows, args.rows, replace=False))
sample = table.take(rows)
pq.write_table(
    sample,
    args.target,
    compression="zstd",
    compression_level=19,
    row_group_size=args.row_group,
    # Times of departure grow slowly: as differences they take far less room than in a dictionary.
    use_dictionary=["origin", "destination", "distance", "delay"],
    column_encoding={"date": "DELTA_BINARY_PACKED"},
)
late = (sample.column("delay").to_numpy() > 15).mean()
print(f"{sample.num_rows} rows, {os.path.getsize(args.target)} bytes, {100 * late:.2f} % more than 15 minutes late")
