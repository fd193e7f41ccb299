// A libcuda.so.1 and libcublas.so for machines without a GPU: device memory is the host's, kernels run on the CPU. It
// checks what the caller passes: names, grids, arguments, the order of calls. It says nothing about a GPU.
#include "cuda_on_host.h"
#include "fake_cuda.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <algorithm>
#include <map>
#include <vector>

Index threadIdx, blockIdx, blockDim, gridDim;

namespace host {

char* dynamicSharedMemory;
Kernel* Kernel::all;

struct Barrier {
    int arrived;
    unsigned generation;
};

/// A stack, and where it goes on.
struct Fiber {
    void* place;
};

struct Thread {
    Fiber* fiber; // once it has started
    const Barrier* barrier; // at which it waits, or did last
    unsigned generation; // of the barrier when it came
    unsigned exchanges;
    bool done;

    bool isWaiting() const { return barrier && barrier->generation == generation; }
};

static const int WARP = 32;
static const int STACK = 256 << 10;

static void* scheduler;
static std::vector<Fiber*> idle;
static std::vector<Thread> all; // of the block
static unsigned started, live;
static bool runsBackwards;
static Barrier blockBarrier;
static std::vector<Barrier> warpBarriers;
static std::vector<char> exchanged; // of each warp twice 32 lanes of 64 bytes
static const Kernel* running;
static void** runningArguments;

/// Saves this place, goes on at the other: the registers that a function must keep, and the stack.
extern "C" void fakeSwitch(void** from, void* to);
asm(R"(
.text
fakeSwitch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    popq %rax
    jmp *%rax
)");

static const int SAVED_REGISTERS = 6;

static void wait(Barrier& barrier, unsigned threads) {
    Thread& thread = all[threadIdx.x];
    thread.barrier = &barrier;
    thread.generation = barrier.generation;
    if (++barrier.arrived == (int) threads) {
        barrier.arrived = 0;
        barrier.generation++;
    } else {
        fakeSwitch(&thread.fiber->place, scheduler);
    }
}

bool isReachable(const void* address) { return !address || fake::canReach(address, 1); }

void syncBlock() { wait(blockBarrier, blockDim.x); }

const char* exchange(const void* own, int bytes) {
    const int warp = threadIdx.x / WARP;
    // two buffers: nobody writes to one before all have read it, since the other needs all to arrive
    char* buffer = &exchanged[(2 * warp + all[threadIdx.x].exchanges++ % 2) * WARP * 64];
    memcpy(buffer + 64 * (threadIdx.x % WARP), own, bytes);
    wait(warpBarriers[warp], WARP);
    return buffer;
}

/// Thread after thread, until one waits: then those after it need another fiber. Most kernels never wait.
static void runFiber() {
    Fiber* own = idle.back();
    while (true) {
        idle.pop_back();
        while (started < blockDim.x) {
            threadIdx = Index{runsBackwards ? blockDim.x - 1 - started : started, 0, 0};
            started++;
            all[threadIdx.x].fiber = own;
            running->run(runningArguments);
            all[threadIdx.x].done = true;
            live--;
        }
        idle.push_back(own);
        fakeSwitch(&own->place, scheduler);
    }
}

static Fiber* newFiber() {
    static int fibers;
    // at the same place of each stack they would all share few lines of the cache
    const int place = fibers++ % 64 * 192;
    void** top = (void**) ((char*) aligned_alloc(16, STACK) + STACK - place) - 2;
    *top = (void*) runFiber;
    return new Fiber{top - SAVED_REGISTERS};
}

/// Runs one block; false if its threads wait for each other for ever.
static bool runBlock(bool backwards) {
    const unsigned threads = live = blockDim.x;
    runsBackwards = backwards;
    started = 0;
    all.assign(threads, Thread());
    blockBarrier = Barrier();
    warpBarriers.assign((threads + WARP - 1) / WARP, Barrier());
    exchanged.resize(warpBarriers.size() * 2 * WARP * 64);
    while (started < threads) {
        if (idle.empty()) {
            idle.push_back(newFiber());
        }
        fakeSwitch(&scheduler, idle.back()->place);
    }
    while (live > 0) {
        bool progress = false;
        for (unsigned i = 0; i < threads; i++) {
            const unsigned next = backwards ? threads - 1 - i : i;
            if (!all[next].done && !all[next].isWaiting()) {
                threadIdx = Index{next, 0, 0};
                fakeSwitch(&scheduler, all[next].fiber->place);
                progress = true;
            }
        }
        if (!progress) {
            return false;
        }
    }
    return true;
}

} // namespace host

extern "C" {

/// The next call of this name returns this code; set by the tests, or by the variable FAKE_GPU_FAIL, as in cuInit=999.
struct {
    char call[64];
    int code;
} fakeFailure;

FakeCounters fakeCounters;

/// Of each kernel; behind the last one a name is null.
struct {
    const char* name;
    int64_t runs;
} fakeKernels[1024];

}

int64_t* host::Kernel::counter(const char* name) {
    static int kernels;
    fakeKernels[kernels].name = name;
    return &fakeKernels[kernels++].runs;
}

static const bool failsAtStart = [] {
    const char* text = getenv("FAKE_GPU_FAIL");
    return text && sscanf(text, "%63[^=]=%d", fakeFailure.call, &fakeFailure.code) == 2;
}();

int fake::failure(const char* call) {
    if (strcmp(fakeFailure.call, call)) {
        return 0;
    }
    fakeFailure.call[0] = 0;
    return fakeFailure.code;
}

// The driver, with two GPUs at most: the second runs blocks and threads backwards.

static const int GPUS = 2;
static const int MULTIPROCESSORS[GPUS] = {2, 5}; // few, so that grids do not cover the larger arrays at once
static const int SHARED_MEMORY = 64 << 10, SHARED_MEMORY_BY_DEFAULT = 48 << 10;

static int contexts[GPUS];
static thread_local int* currentContext;
static std::map<const host::Kernel*, int> sharedMemoryAllowed;

bool fake::hasContext() { return currentContext; }

EXPORT int cuInit(unsigned) {
    FAIL_IF_ASKED
    return fakeSettings.gpus > 0 ? 0 : NO_DEVICE;
}

EXPORT int cuDriverGetVersion(int* version) {
    *version = 13000;
    return 0;
}

EXPORT int cuGetExportTable(const void** table, const void*) { // NVRTC 13 calls it
    *table = 0;
    return NOT_FOUND;
}

EXPORT int cuDeviceGetCount(int* count) {
    *count = (int) fakeSettings.gpus;
    return 0;
}

EXPORT int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal < fakeSettings.gpus ? 0 : INVALID_DEVICE;
}

EXPORT int cuDeviceGetName(char* name, int length, int) {
    snprintf(name, length, "Fake GPU");
    return 0;
}

EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
    switch (attribute) {
        case 16: *value = MULTIPROCESSORS[device]; return 0;
        case 41: *value = 1; return 0;
        case 75: *value = (int) fakeSettings.computeCapability / 10; return 0;
        case 76: *value = (int) fakeSettings.computeCapability % 10; return 0;
        case 83: *value = 1; return 0;
        case 89: *value = fakeSettings.concurrentManagedAccess; return 0;
        case 97: *value = SHARED_MEMORY; return 0;
        default: return INVALID_VALUE;
    }
}

EXPORT int cuDevicePrimaryCtxRetain(int** context, int device) {
    FAIL_IF_ASKED
    *context = &contexts[device];
    return 0;
}

EXPORT int cuCtxSetCurrent(int* context) {
    currentContext = context;
    return 0;
}

/// While there are any events to measure time, which is worth nothing here, kernels and products do not run.
static int timers;

struct Event {
    bool isTimer;
    timespec time;
};

EXPORT int cuEventCreate(Event** event, unsigned flags) {
    *event = new Event{!(flags & 2), timespec()};
    timers += (*event)->isTimer;
    return 0;
}

EXPORT int cuEventDestroy_v2(Event* event) {
    timers -= event->isTimer;
    delete event;
    return 0;
}

EXPORT int cuEventRecord(Event* event, void*) { return clock_gettime(CLOCK_MONOTONIC, &event->time); }

EXPORT int cuEventElapsedTime(float* milliseconds, Event* begin, Event* end) {
    const timespec from = begin->time, to = end->time;
    *milliseconds = (to.tv_sec - from.tv_sec) * 1e3f + (to.tv_nsec - from.tv_nsec) * 1e-6f;
    return 0;
}

EXPORT int cuEventElapsedTime_v2(float* milliseconds, Event* begin, Event* end) {
    return cuEventElapsedTime(milliseconds, begin, end);
}

EXPORT int cuGetErrorName(int code, const char** name) {
    static const std::map<int, const char*> names = {
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE"}, {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"}, {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
    auto found = names.find(code);
    *name = found == names.end() ? 0 : found->second;
    return *name ? 0 : INVALID_VALUE;
}

/// Takes machine code or PTX of the real NVRTC, or what the fake one gives.
EXPORT int cuModuleLoadData(void** module, const char* image) {
    NEEDS_CONTEXT
    *module = (void*) 0x30;
    fakeCounters.modules++;
    return !memcmp(image, "\x7f" "ELF", 4) || !memcmp(image, "//", 2) ? 0 : INVALID_IMAGE;
}

EXPORT int cuModuleGetFunction(const void** function, void*, const char* name) {
    for (const host::Kernel* kernel = host::Kernel::all; kernel; kernel = kernel->next) {
        if (!strcmp(kernel->name, name)) {
            *function = kernel;
            return 0;
        }
    }
    return NOT_FOUND;
}

EXPORT int cuFuncSetAttribute(const host::Kernel* kernel, int attribute, int value) {
    if (attribute != 8 || value > SHARED_MEMORY) {
        return INVALID_VALUE;
    }
    sharedMemoryAllowed[kernel] = value;
    return 0;
}

EXPORT int cuLaunchKernel(const host::Kernel* kernel, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
        unsigned blockY, unsigned blockZ, unsigned sharedMemory, void*, void** arguments, void**) {
    NEEDS_CONTEXT
    const int allowed = sharedMemoryAllowed.count(kernel) ? sharedMemoryAllowed[kernel] : SHARED_MEMORY_BY_DEFAULT;
    if (gridX < 1 || gridX > 0x7FFFFFFF || gridY < 1 || gridY > 65535 || gridZ < 1 || gridZ > 65535
            || (int) blockX > kernel->threads || blockY != 1 || blockZ != 1 || (int) sharedMemory > allowed) {
        return INVALID_VALUE;
    }
    if (const void* address = kernel->unreachable(arguments)) {
        return fake::check(kernel->name, address, 1);
    }
    fakeCounters.launches++;
    if (timers) {
        return 0;
    }
    ++*kernel->runs;
    fake::Work work(kernel->name);
    std::vector<char> shared(sharedMemory + 16, (char) 0xA5);
    host::dynamicSharedMemory = (char*) (((uintptr_t) shared.data() + 15) / 16 * 16);
    host::running = kernel;
    host::runningArguments = arguments;
    gridDim = Index{gridX, gridY, gridZ};
    blockDim = Index{blockX, 1, 1};
    const bool backwards = currentContext == &contexts[1];
    const int64_t blocks = (int64_t) gridX * gridY * gridZ;
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t block = backwards ? blocks - 1 - i : i;
        blockIdx = Index{(unsigned) (block % gridX), (unsigned) (block / gridX % gridY),
                         (unsigned) (block / gridX / gridY)};
        if (!host::runBlock(backwards)) {
            fprintf(stderr, "%s: threads of a block wait for each other for ever\n", kernel->name);
            return LAUNCH_FAILED;
        }
    }
    return 0;
}

static const int EXECUTION_FAILED = 13; // of cuBLAS

// cuBLAS: column-major matrices, BF16 (14) or FP32 (0), sums in FP32.

static float load(const void* array, int type, int64_t i) {
    return type == 0 ? ((const float*) array)[i] : __uint_as_float((uint32_t) ((const uint16_t*) array)[i] << 16);
}

static uint16_t nearest(float x) {
    const uint32_t b = __float_as_uint(x);
    return x != x ? 0x7FC0 : (b + 0x7FFF + (b >> 16 & 1)) >> 16;
}

static void store(void* array, int type, int64_t i, float x) {
    if (type == 0) {
        ((float*) array)[i] = x;
    } else {
        ((uint16_t*) array)[i] = nearest(x);
    }
}

static float factor(const void* array, int type, int64_t i, bool rounded) {
    const float x = load(array, type, i);
    return rounded ? __uint_as_float((uint32_t) nearest(x) << 16) : x;
}

/// sums[row] += column[row] * factor.
__attribute__((optimize("O3"), target_clones("avx2", "default")))
static void addProduct(float* sums, const float* column, float factor, int rows) {
    for (int row = 0; row < rows; row++) {
        sums[row] += column[row] * factor;
    }
}

EXPORT int cublasCreate_v2(void** handle) {
    FAIL_IF_ASKED
    *handle = (void*) 0x50;
    return 0;
}

EXPORT int cublasSetStream_v2(void*, void*) { return 0; }

EXPORT int cublasSetMathMode(void*, int) { return 0; }

EXPORT int cublasGetVersion_v2(void*, int* version) {
    *version = 130000;
    return 0;
}

EXPORT const char* cublasGetStatusString(int code) {
    return code == 13 ? "the function failed to launch on the GPU" : code == 7 ? "an unsupported value" : "unknown";
}

EXPORT int cublasGemmStridedBatchedEx(void*, int transposeA, int transposeB, int m, int n, int k, const float* alpha,
        const void* a, int aType, int lda, int64_t aStride, const void* b, int bType, int ldb, int64_t bStride,
        const float* beta, void* c, int cType, int ldc, int64_t cStride, int batches, int computeType, int algorithm) {
    FAIL_IF_ASKED
    const bool autocast = computeType == 75 && aType == 0; // CUBLAS_COMPUTE_32F_FAST_16BF
    if ((computeType != 68 && !autocast) || aType != bType || (cType != aType && cType != 0) || m < 1 || n < 1 || k < 1
            || lda < (transposeA ? k : m) || ldb < (transposeB ? n : k) || ldc < m) {
        return 7;
    }
    const auto bytes = [&](int type, int64_t rows, int64_t columns, int64_t leading, int64_t step) {
        return ((batches - 1) * step + (columns - 1) * leading + rows) * (type == 0 ? 4 : 2);
    };
    const bool ofLt = algorithm < 0; // whose sums are its own
    if (fake::check(__func__, a, transposeA ? bytes(aType, k, m, lda, aStride) : bytes(aType, m, k, lda, aStride))
            || fake::check(__func__, b, transposeB ? bytes(bType, n, k, ldb, bStride) : bytes(bType, k, n, ldb, bStride))
            || (!ofLt && fake::check(__func__, c, bytes(cType, m, n, ldc, cStride)))) {
        return EXECUTION_FAILED;
    }
    fake::Work work(__func__);
    std::vector<float> left((int64_t) m * k), sums(m);
    for (int64_t batch = 0; batch < batches && !timers; batch++) {
        for (int64_t i = 0; i < k; i++) {
            for (int64_t row = 0; row < m; row++) {
                const int64_t at = batch * aStride + (transposeA ? i + row * lda : row + i * lda);
                left[i * m + row] = factor(a, aType, at, autocast);
            }
        }
        for (int64_t column = 0; column < n; column++) {
            std::fill(sums.begin(), sums.end(), 0.0f);
            for (int64_t i = 0; i < k; i++) {
                const int64_t at = batch * bStride + (transposeB ? column + i * ldb : i + column * ldb);
                addProduct(sums.data(), &left[i * m], factor(b, bType, at, autocast), m);
            }
            for (int64_t row = 0; row < m; row++) {
                const int64_t at = batch * cStride + row + column * ldc;
                store(c, cType, at, *alpha * sums[row] + (*beta == 0 ? 0 : *beta * load(c, cType, at)));
            }
        }
    }
    return 0;
}

EXPORT int cublasGemmEx(void* handle, int transposeA, int transposeB, int m, int n, int k, const float* alpha,
        const void* a, int aType, int lda, const void* b, int bType, int ldb, const float* beta, void* c, int cType,
        int ldc, int computeType, int algorithm) {
    FAIL_IF_ASKED
    return cublasGemmStridedBatchedEx(handle, transposeA, transposeB, m, n, k, alpha, a, aType, lda, 0, b, bType, ldb,
                                      0, beta, c, cType, ldc, 0, 1, computeType, algorithm);
}

