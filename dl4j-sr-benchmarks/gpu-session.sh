#!/bin/bash
# session DIR [SECONDS]   checks and measures all that a GPU is wanted for, step by step, and keeps each step's log in DIR
#
# It begins no step that would not end within SECONDS (default 570) of its own start, by the steps' estimates for an H200,
# and goes on where it was when called again. What says nothing of speed runs side by side. Exit code 0: all steps are
# done and right. 1: all are done, and those with a file STEP.failed went wrong. 3: there are steps left, call it again.
# initcheck's finds are said, but count as right: it does not see what some of cuBLAS's kernels write.
#
# PyTorch is measured where python3 has it, compute-sanitizer is used where it is installed. JAVA_OPTIONS are given to the
# Java machine (default -Xmx16g).
set -u
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in
    --help)
        sed -n '2,11s/^# \{0,1\}//p' "$0"
        exit
        ;;
    "" | -*)
        echo "expected DIR [SECONDS], but was given: ${*:-nothing}; see session --help"
        exit 2
        ;;
esac
limit=${2:-570}
if [ $# -gt 2 ] || ! [[ $limit =~ ^[1-9][0-9]{0,8}$ ]]; then
    echo "expected DIR [SECONDS], SECONDS a whole number above 0, but was given: $*"
    exit 2
fi
mkdir -p -- "$1" || exit 2
logs=$(cd -- "$1" >/dev/null && pwd) || exit 2
export JAVA_OPTIONS=${JAVA_OPTIONS:--Xmx16g}
rm -f "$logs"/*.left

FOUND=3 # the exit code of compute-sanitizer for errors that it has found

is_over() {
    [ -e "$logs/$1.done" ] || [ -e "$logs/$1.failed" ]
}

# step NAME SECONDS COMMAND...: runs the command unless it has run before; SECONDS is what it takes
step() {
    local name=$1 seconds=$2
    shift 2
    if is_over "$name"; then
        return
    fi
    if [ $((SECONDS + seconds)) -gt "$limit" ]; then
        touch "$logs/$name.left"
        return
    fi
    local start=$SECONDS code
    { echo "\$ $*"; date -u; nvidia-smi -L 2>/dev/null; "$@"; } >"$logs/$name.log" 2>&1
    code=$?
    if [ $code = 0 ]; then
        echo "$((SECONDS - start)) s" >"$logs/$name.done"
    elif [ "$name" = initcheck ] && [ $code = "$FOUND" ]; then
        echo "found something: see its log for what is not of cuBLAS's results" >"$logs/$name.done"
    else
        echo "exit code $code" >"$logs/$name.failed"
    fi
    echo "$name: exit code $code, $((SECONDS - start)) s"
}

app() {
    local name=$1 seconds=$2
    shift 2
    is_over "$name" || rm -rf "${logs:?}/$name" # of a step that was cut off
    step "$name" "$seconds" "$here/run" app "$@"
}

on_cpu() {
    JAVA_OPTIONS="$JAVA_OPTIONS -Dorg.dl4jsr.device=cpu" app "$@"
}

has_sanitizer() {
    "$here/run" --sanitize >/dev/null
}

has_torch() {
    python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null
}

# right first; the first of them compiles the kernels for all
step checks 40 "$here/run" --check --out "$logs/checks.json"
step checks-seed-2 40 "$here/run" --check --seed 2 &
app nano-gpu 20 pretrain --preset nano --tokens 131072 --seed 1 --out "$logs/nano-gpu" &
on_cpu nano-cpu 40 pretrain --preset nano --tokens 131072 --seed 1 --out "$logs/nano-cpu" &
if has_sanitizer; then
    for tool in memcheck initcheck racecheck; do
        step "$tool" 300 "$here/run" --sanitize "$tool" &
    done
fi
wait

# then fast, one after the other
step kernels 30 "$here/run" --measure --out "$logs/kernels.json"
app bench-small 150 bench --preset small --policies bf16-o1,bf16-o2,bf16-sr --out "$logs/bench-small"
app bench-124m 160 bench --preset gpt2-124m --batch 8 --accumulate 1 --policies bf16-o1,bf16-o2,bf16-sr \
    --out "$logs/bench-124m"
if has_torch; then
    step torch-kernels 30 "$here/run" --torch --out "$logs/torch-kernels.json"
    step torch-small 30 python3 "$here/pytorch_gpt.py" --device cuda --preset small --modes autocast,bf16
    step torch-small-compiled 60 python3 "$here/pytorch_gpt.py" --device cuda --preset small --modes autocast,bf16 \
        --compile
    step torch-124m 30 python3 "$here/pytorch_gpt.py" --device cuda --preset gpt2-124m --batch 8 --modes autocast,bf16
    step torch-124m-compiled 80 python3 "$here/pytorch_gpt.py" --device cuda --preset gpt2-124m --batch 8 \
        --modes autocast,bf16 --compile
fi
app profile-small 30 bench --preset small --policies bf16-sr --profile
app profile-124m 30 bench --preset gpt2-124m --batch 8 --accumulate 1 --policies bf16-sr --profile

# then what the policies reach: side by side where NVIDIA's multi-process service starts, else one after the other, since
# processes would take turns on the GPU, at a sixth of the speed in all
compare() {
    local name=compare-beta2-$1-seed-$2 seconds=$3
    app "$name" "$seconds" compare --preset small --policies bf16-sr,bf16-o2,bf16-nearest \
        --beta2 "$1" --seeds 1 --seed "$2" --tokens 10000000 --out "$logs/$name"
}

service=
if command -v nvidia-cuda-mps-control >/dev/null && mkdir -p "$logs/mps"; then
    export CUDA_MPS_PIPE_DIRECTORY=$logs/mps CUDA_MPS_LOG_DIRECTORY=$logs/mps
    if nvidia-cuda-mps-control -d; then
        service=runs
        trap 'echo quit | nvidia-cuda-mps-control' EXIT
    else
        unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
    fi
fi
for seed in 1 2 3; do
    for beta2 in 0.95 0.999; do
        if [ -n "$service" ]; then
            compare "$beta2" "$seed" 400 &
        else
            compare "$beta2" "$seed" 200 # by its tokens at the speed of bench, twice
        fi
    done
done
wait

! grep -qs found "$logs/initcheck.done" || echo "initcheck $(cat "$logs/initcheck.done")"
for failed in "$logs"/*.failed; do
    [ -e "$failed" ] && echo "$(basename "$failed" .failed) went wrong, $(cat "$failed"): see its log"
done
left=$(cd "$logs" && for step in *.left; do [ -e "$step" ] && basename "$step" .left; done)
if [ -n "$left" ]; then
    echo left: $left
    exit 3
fi
! ls "$logs"/*.failed >/dev/null 2>&1
