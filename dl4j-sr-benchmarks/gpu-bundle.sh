#!/bin/bash
# Packs the GPU self-test with a small Java runtime for a GPU machine that has neither Java nor a network:
#
#   dl4j-sr-benchmarks/gpu-bundle.sh
#
# builds what is needed and writes dl4j-sr-benchmarks/target/gpu-bundle.tar.gz (Linux x86-64, about 20 MB). There:
#
#   tar -xzf gpu-bundle.tar.gz && gpu-bundle/run --out cuda.json
#
# and see gpu-bundle/run --help. The GPU machine brings the driver, cudart, NVRTC and cuBLAS of CUDA 13. Needed here: a
# JDK 17 with jlink, g++ and Maven; MAVEN_OPTIONS are given to it.
set -euo pipefail
benchmarks=$(cd "$(dirname "$0")" && pwd)
core=$benchmarks/../dl4j-sr-core
bundle=$benchmarks/target/gpu-bundle
jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
rm -rf "$bundle" "$bundle.tar.gz"
mkdir -p "$bundle/lib" "$bundle/native"

# of the class path only what the self-test uses
(cd "$benchmarks/.." && mvn -B -q ${MAVEN_OPTIONS:-} -DskipTests -pl dl4j-sr-benchmarks -am package \
    dependency:copy-dependencies -DoutputDirectory="$bundle/lib" -DincludeArtifactIds=javacpp,cuda,slf4j-api)
"$jdk/bin/jlink" --add-modules java.base,jdk.unsupported --compress=2 --strip-debug --no-header-files --no-man-pages \
    --output "$bundle/jre"
# Debian's JDK takes zlib from the system
zlib=$(ldconfig -p | awk '$1 == "libz.so.1" && /x86-64/ {print $NF; exit}')
[ -z "$zlib" ] || cp -L "$zlib" "$bundle/native/"

"$jdk/bin/jar" --create --file "$bundle/lib/dl4j-sr.jar" -C "$core/target/classes" org/dl4jsr/kernel \
    -C "$core/target/classes" org/dl4jsr/rounding -C "$benchmarks/target/classes" org/dl4jsr/benchmarks/contract \
    -C "$benchmarks/target/classes" org/dl4jsr/benchmarks/gpu
# and of the bindings only three libraries
bindings=$(echo "$bundle"/lib/cuda-*-linux-x86_64.jar)
trimmed=$(mktemp -d)
(cd "$trimmed" && "$jdk/bin/jar" --extract --file "$bindings" META-INF/MANIFEST.MF \
    org/bytedeco/cuda/linux-x86_64/libjni{cudart,nvrtc,cublas}.so)
"$jdk/bin/jar" --create --file "$bindings" --manifest "$trimmed/META-INF/MANIFEST.MF" -C "$trimmed" org
rm -r "$trimmed"

cp "$benchmarks/pytorch/torch_adamw.py" "$bundle/"
cp "$benchmarks/gpu-run.sh" "$bundle/run"
tar -C "$benchmarks/target" -czf "$bundle.tar.gz" gpu-bundle
du -h "$bundle.tar.gz"
