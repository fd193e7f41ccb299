#!/bin/bash
# Packs the app and the GPU self-test with a small Java runtime for a machine that has neither Java nor a network:
#
#   dl4j-sr-benchmarks/gpu-bundle.sh
#
# builds what is needed and writes dl4j-sr-benchmarks/target/gpu-bundle.tar.xz.part-aa and -ab (Linux x86-64, 85 MB
# in all). There, with Python 3 or with tar and xz:
#
#   cat gpu-bundle.tar.xz.part-* |
#       python3 -c 'import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode="r|xz").extractall()'
#   cat gpu-bundle.tar.xz.part-* | tar -xJ
#
# and see gpu-bundle/run --help. For its GPU the machine brings the driver, cudart, NVRTC and cuBLAS of CUDA 13. Needed
# here: a JDK 17 with jlink, g++, Maven and xz; it takes five minutes. MAVEN_OPTIONS
# are given to Maven.
set -euo pipefail
[ $# = 0 ] || { echo "gpu-bundle.sh takes no arguments, but was given: $*" >&2; exit 2; }
benchmarks=$(cd "$(dirname "$0")" && pwd)
examples=$benchmarks/../dl4j-sr-examples/target
bundle=$benchmarks/target/gpu-bundle
jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
rm -rf "$bundle" "$bundle".tar*
mkdir -p "$bundle/lib" "$bundle/native"

# the app with its libraries, and what the benchmarks add to them
cd "$benchmarks/.."
modules=(-pl dl4j-sr-examples,dl4j-sr-benchmarks -am)
rm -rf "$benchmarks"/target/dl4j-sr-benchmarks-*.jar "$examples/lib" # of older versions
# shellcheck disable=SC2086
mvn -B -q ${MAVEN_OPTIONS:-} -DskipTests "${modules[@]}" package
# by itself: the names would hold for the app's own libraries, too; before
# test-compile Maven 3.8 does not find the tests of a module
# shellcheck disable=SC2086
mvn -B -q ${MAVEN_OPTIONS:-} -DskipTests "${modules[@]}" test-compile dependency:copy-dependencies \
    -DoutputDirectory="$bundle/lib" -DincludeArtifactIds=cuda,jmh-core,jopt-simple,deeplearning4j-zoo
cp "$examples/dl4j-sr-examples.jar" "$examples"/lib/*.jar "$bundle/lib/"
find "$benchmarks/target" -maxdepth 1 -name 'dl4j-sr-benchmarks-*.jar' ! -name '*-sources.jar' ! -name '*-javadoc.jar' \
    -exec cp {} "$bundle/lib/dl4j-sr-benchmarks.jar" \;
[ -f "$bundle/lib/dl4j-sr-benchmarks.jar" ] || { echo "No jar in $benchmarks/target" >&2; exit 1; }
# DL4J brings these for text, images and reports of its own; nothing here loads a class of them
rm "$bundle"/lib/{fastutil,freemarker,jai-imageio,imageio,jna,oshi}-*.jar

# Bare and uncompressed, since xz makes less of them than of jars that are compressed; and of CUDA's bindings only the
# libraries that are used.
unpacked=$(mktemp -d)
for jar in "$bundle"/lib/*.jar; do
    (cd "$unpacked" && "$jdk/bin/jar" --extract --file "$jar")
    case $jar in
        */cuda-*-linux-x86_64.jar)
            find "$unpacked" -name 'lib*.so*' | grep -vE '/libjni(cudart|nvrtc|cublas)\.so$' | xargs rm
            ;;
    esac
    find "$unpacked" -name libnd4jcpu.so -exec strip --strip-unneeded {} +
    "$jdk/bin/jar" --create --file "$jar" --no-compress --no-manifest -C "$unpacked" .
    find "$unpacked" -mindepth 1 -delete
done
rmdir "$unpacked"

"$jdk/bin/jlink" --add-modules java.base,java.desktop,java.management,java.sql,jdk.management,jdk.unsupported \
    --compress=0 --strip-debug --no-header-files --no-man-pages --output "$bundle/jre"
# Debian's JDK takes zlib from the system; awk reads to the end, since a pipe that nobody reads is an error
zlib=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p | awk '$1 == "libz.so.1" && /x86-64/ && !found++ {print $NF}')
[ -z "$zlib" ] || cp -L "$zlib" "$bundle/native/"

cp "$benchmarks"/pytorch/*.py "$bundle/"
cp "$benchmarks/gpu-run.sh" "$bundle/run"
cp "$benchmarks/gpu-session.sh" "$bundle/session"
tar -C "$benchmarks/target" -c gpu-bundle | xz -9 -T2 | split -b 45000000 - "$bundle.tar.xz.part-"
du -h "$bundle".tar.xz.part-*
