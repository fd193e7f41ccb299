#!/bin/sh
# Compares dl4j-sr's weights, logits and texts with those of Hugging Face's libraries, both ways. From the repository's
# root, after mvn -B -q -DskipTests package:
#
#     sh dl4j-sr-benchmarks/peers/round_trip.sh [FOLDER]
#
# FOLDER (default: target/peers) gets the Python environment and everything that is written. PyTorch for the CPU is
# enough: PIP_EXTRA_INDEX_URL may name where pip finds it, as pytorch.org says.
set -e
peers=$(cd "$(dirname "$0")" && pwd)
work=${1:-target/peers}
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install -q torch==2.13.0 transformers==5.18.0 safetensors==0.8.0 gguf==0.19.0 numpy
fi
exec "$work/venv/bin/python" "$peers/round_trip.py" "$work"
