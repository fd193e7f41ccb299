#!/bin/bash
# run [OPTIONS]                   checks dl4j-sr's CUDA kernels on this GPU and measures them
# run --sanitize TOOL [OPTIONS]   the checks alone, under compute-sanitizer's memcheck, initcheck or racecheck; without
#                                 TOOL only where compute-sanitizer is, and exit code 2 where it is not
# run --torch [OPTIONS]           the same measurements of PyTorch, for comparison
#
#   --out FILE     write JSON, too
#   --elements N   parameters of the optimizer's measurements (default 268435456)
#   --rows N       tokens of the other measurements (default 65536)
#   --seed N       of the checks' random arrays
#   --only NAMES   only checks and measurements with one of these texts, separated by commas, in their names
#   --check        no measurements
#   --measure      no checks
#
# run app COMMAND [OPTIONS]       the app: pretrain, compare, bench, plan, ...; run app --help
# run jmh BENCHMARK... [OPTIONS]  JMH benchmarks of the CPU: cpu.KernelBenchmark, TrainingBenchmark, ...; run jmh -h
#
# JAVA_OPTIONS are given to the Java machine, such as -Xmx16g. CUDA's libraries are looked for where the toolkit and
# PyTorch's packages have them; CUDA_LIBS=DIR[:DIR] names others.
here=$(cd "$(dirname "$0")" && pwd)

cuda_folders() {
    echo /usr/local/cuda/lib64
    python3 -c 'import sys; print("\n".join(p for p in sys.path if p.endswith("-packages")))' 2>/dev/null |
        while read -r packages; do ls -d "$packages"/nvidia/*/lib 2>/dev/null; done
    echo /usr/local/nvidia/lib64
    echo /usr/lib/x86_64-linux-gnu
}

found=
for folder in $(cuda_folders); do
    for library in libcuda.so.1 libcudart.so.13 libnvrtc.so.13 libcublas.so.13; do
        [ ! -e "$folder/$library" ] || { found=${found:+$found:}$folder; break; }
    done
done
libraries=${CUDA_LIBS:+$CUDA_LIBS:}${found:+$found:}$here/native${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

# shellcheck disable=SC2206
options=(-Dorg.bytedeco.javacpp.cachedir="$here/cache" -Dorg.dl4jsr.kernel.cuda.cache="$here/cache/kernels"
    ${JAVA_OPTIONS:-} -cp "$here/lib/*")
java=("$here/jre/bin/java" "${options[@]}")
self_test=("$here/jre/bin/java" -Xmx8g "${options[@]}" org.dl4jsr.benchmarks.gpu.GpuSelfTest)
export LD_LIBRARY_PATH=$libraries

case ${1:-} in
    --help)
        sed -n '2,19s/^# \{0,1\}//p' "$0"
        ;;
    --torch)
        shift
        exec python3 "$here/torch_adamw.py" "$@"
        ;;
    --sanitize)
        shift
        sanitizer=$(command -v compute-sanitizer ||
            ls /usr/local/cuda/bin/compute-sanitizer /opt/nvidia/*/compute-sanitizer 2>/dev/null | head -1)
        [ -n "$sanitizer" ] || { echo "compute-sanitizer is not installed"; exit 2; }
        case ${1:-} in
            "")
                echo "$sanitizer"
                ;;
            memcheck | initcheck | racecheck)
                exec "$sanitizer" --tool "$1" --target-processes all --error-exitcode 3 \
                    "${self_test[@]}" --check --elements 20000 "${@:2}"
                ;;
            *)
                echo "--sanitize is $1, expected memcheck, initcheck or racecheck"
                exit 2
                ;;
        esac
        ;;
    app)
        shift
        exec "${java[@]}" org.dl4jsr.examples.Main "$@"
        ;;
    jmh)
        shift
        exec "${java[@]}" org.openjdk.jmh.Main "$@"
        ;;
    *)
        exec "${self_test[@]}" "$@"
        ;;
esac
