// A libcuda.so.1 and libcublas.so for machines without a GPU: device memory is the host's, kernels run on the CPU. It
// checks what the caller passes: names, grids, arguments, the order of calls. It says nothing about a GPU.
#include "cuda_on_host.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>
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

struct Fiber {
    ucontext_t context; // to start with
    jmp_buf place; // to go on, without the system calls of swapcontext
    char* stack;
    bool started, done;
    unsigned exchanges;
};

static const int WARP = 32;
static const int STACK = 256 << 10;

static ucontext_t unused;
static jmp_buf scheduler;
static std::vector<Fiber> fibers;
static int current, live;
static bool progress;
static Barrier blockBarrier;
static std::vector<Barrier> warpBarriers;
static std::vector<char> exchanged; // of each warp twice 32 lanes of 64 bytes
static const Kernel* running;
static void** runningArguments;

static void wait(Barrier& barrier, int threads) {
    const unsigned generation = barrier.generation;
    if (++barrier.arrived == threads) {
        barrier.arrived = 0;
        barrier.generation++;
        progress = true;
    }
    while (barrier.generation == generation) {
        if (!_setjmp(fibers[current].place)) {
            _longjmp(scheduler, 1);
        }
    }
}

void syncBlock() { wait(blockBarrier, (int) blockDim.x); }

const char* exchange(const void* own, int bytes) {
    const int warp = threadIdx.x / WARP;
    // two buffers: nobody writes to one before all have read it, since the other needs all to arrive
    char* buffer = &exchanged[(2 * warp + fibers[current].exchanges++ % 2) * WARP * 64];
    memcpy(buffer + 64 * (threadIdx.x % WARP), own, bytes);
    wait(warpBarriers[warp], WARP);
    return buffer;
}

static void runFiber() {
    running->run(runningArguments);
    fibers[current].done = true;
    progress = true;
    live--;
    _longjmp(scheduler, 1);
}

/// Runs a fiber until it waits or ends.
static void resume(Fiber& fiber) {
    if (_setjmp(scheduler)) {
        return;
    }
    if (fiber.started) {
        _longjmp(fiber.place, 1);
    }
    fiber.started = progress = true;
    fiber.stack = fiber.stack ? fiber.stack : (char*) malloc(STACK);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = STACK;
    makecontext(&fiber.context, runFiber, 0);
    swapcontext(&unused, &fiber.context);
}

/// Runs one block; false if its threads wait for each other for ever.
static bool runBlock(unsigned threads, bool backwards) {
    if (fibers.size() < threads) {
        fibers.resize(threads);
    }
    blockBarrier = Barrier();
    warpBarriers.assign((threads + WARP - 1) / WARP, Barrier());
    exchanged.resize(warpBarriers.size() * 2 * WARP * 64);
    live = (int) threads;
    for (unsigned i = 0; i < threads; i++) {
        fibers[i].started = fibers[i].done = false;
        fibers[i].exchanges = 0;
    }
    while (live > 0) {
        progress = false;
        for (unsigned i = 0; i < threads; i++) {
            current = backwards ? threads - 1 - i : i;
            Fiber& fiber = fibers[current];
            if (fiber.done) {
                continue;
            }
            threadIdx = Index{(unsigned) current, 0, 0};
            resume(fiber);
        }
        if (!progress) {
            return false;
        }
    }
    return true;
}

} // namespace host

#define EXPORT extern "C" __attribute__((visibility("default")))

enum { INVALID_VALUE = 1, OUT_OF_MEMORY = 2, INVALID_IMAGE = 200, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

extern "C" {

/// The next call of this name returns this code; set by the tests.
struct {
    char call[64];
    int code;
} fakeFailure;

/// What has happened so far, for the tests.
struct {
    int64_t launches, modules, allocations;
} fakeCounters;

}

static int failure(const char* call) {
    if (strcmp(fakeFailure.call, call)) {
        return 0;
    }
    fakeFailure.call[0] = 0;
    return fakeFailure.code;
}

#define FAIL_IF_ASKED \
    if (int code = failure(__func__)) { \
        return code; \
    }

// The driver, with two GPUs: the second runs blocks and threads backwards.

static const int GPUS = 2;
static const int MULTIPROCESSORS[GPUS] = {2, 5}; // few, so that grids do not cover the larger arrays at once
static const int SHARED_MEMORY = 64 << 10, SHARED_MEMORY_BY_DEFAULT = 48 << 10;

static int contexts[GPUS];
static int* currentContext;
static std::map<const host::Kernel*, int> sharedMemoryAllowed;

EXPORT int cuInit(unsigned) {
    FAIL_IF_ASKED
    return 0;
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
    *count = GPUS;
    return 0;
}

EXPORT int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal < GPUS ? 0 : 101;
}

EXPORT int cuDeviceGetName(char* name, int length, int) {
    snprintf(name, length, "Fake GPU");
    return 0;
}

EXPORT int cuDeviceGetAttribute(int* value, int attribute, int device) {
    switch (attribute) {
        case 16: *value = MULTIPROCESSORS[device]; return 0;
        case 75: *value = 9; return 0;
        case 76: *value = 0; return 0;
        case 97: *value = SHARED_MEMORY; return 0;
        default: return INVALID_VALUE;
    }
}

EXPORT int cuDevicePrimaryCtxRetain(int** context, int device) {
    *context = &contexts[device];
    return 0;
}

EXPORT int cuCtxSetCurrent(int* context) {
    currentContext = context;
    return 0;
}

EXPORT int cuStreamCreate(void** stream, unsigned) {
    *stream = (void*) 0x20;
    return 0;
}

EXPORT int cuStreamSynchronize(void*) {
    FAIL_IF_ASKED
    return 0;
}

EXPORT int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    FAIL_IF_ASKED
    void* memory = 0;
    if (!currentContext || bytes == 0) {
        return INVALID_VALUE;
    }
    if (posix_memalign(&memory, 512, bytes)) {
        return OUT_OF_MEMORY;
    }
    memset(memory, 0xA5, bytes);
    fakeCounters.allocations++;
    *address = (uint64_t) memory;
    return 0;
}

EXPORT int cuMemFree_v2(uint64_t address) {
    fakeCounters.allocations--;
    free((void*) address);
    return 0;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t target, const void* source, size_t bytes, void*) {
    FAIL_IF_ASKED
    memcpy((void*) target, source, bytes);
    return 0;
}

EXPORT int cuMemcpyDtoHAsync_v2(void* target, uint64_t source, size_t bytes, void*) {
    FAIL_IF_ASKED
    memcpy(target, (void*) source, bytes);
    return 0;
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t target, uint64_t source, size_t bytes, void*) {
    memmove((void*) target, (void*) source, bytes);
    return 0;
}

EXPORT int cuMemsetD8Async(uint64_t target, unsigned char value, size_t bytes, void*) {
    memset((void*) target, value, bytes);
    return 0;
}

/// Events are for timing, which is worth nothing here: while there are any, kernels and products do not run.
static int events;

EXPORT int cuEventCreate(void** event, unsigned) {
    events++;
    *event = new timespec;
    return 0;
}

EXPORT int cuEventDestroy_v2(void* event) {
    events--;
    delete (timespec*) event;
    return 0;
}

EXPORT int cuEventRecord(void* event, void*) { return clock_gettime(CLOCK_MONOTONIC, (timespec*) event); }

EXPORT int cuEventSynchronize(void*) { return 0; }

EXPORT int cuEventElapsedTime(float* milliseconds, void* begin, void* end) {
    const timespec *from = (timespec*) begin, *to = (timespec*) end;
    *milliseconds = (to->tv_sec - from->tv_sec) * 1e3f + (to->tv_nsec - from->tv_nsec) * 1e-6f;
    return 0;
}

EXPORT int cuEventElapsedTime_v2(float* milliseconds, void* begin, void* end) {
    return cuEventElapsedTime(milliseconds, begin, end);
}

EXPORT int cuGetErrorName(int code, const char** name) {
    static const std::map<int, const char*> names = {
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"}, {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE"}, {NOT_FOUND, "CUDA_ERROR_NOT_FOUND"},
        {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}};
    auto found = names.find(code);
    *name = found == names.end() ? 0 : found->second;
    return *name ? 0 : INVALID_VALUE;
}

/// Takes machine code or PTX of the real NVRTC, or what the fake one gives.
EXPORT int cuModuleLoadData(void** module, const char* image) {
    FAIL_IF_ASKED
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
    FAIL_IF_ASKED
    const int allowed = sharedMemoryAllowed.count(kernel) ? sharedMemoryAllowed[kernel] : SHARED_MEMORY_BY_DEFAULT;
    if (!currentContext || gridX < 1 || gridX > 0x7FFFFFFF || gridY < 1 || gridY > 65535 || gridZ < 1 || gridZ > 65535
            || (int) blockX != kernel->threads || blockY != 1 || blockZ != 1 || (int) sharedMemory > allowed) {
        return INVALID_VALUE;
    }
    fakeCounters.launches++;
    if (events) {
        return 0;
    }
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
        if (!host::runBlock(blockX, backwards)) {
            fprintf(stderr, "%s: threads of a block wait for each other for ever\n", kernel->name);
            return LAUNCH_FAILED;
        }
    }
    return 0;
}

// cuBLAS: column-major matrices, BF16 (14) or FP32 (0), sums in FP32.

static float load(const void* array, int type, int64_t i) {
    return type == 0 ? ((const float*) array)[i] : __uint_as_float((uint32_t) ((const uint16_t*) array)[i] << 16);
}

static void store(void* array, int type, int64_t i, float x) {
    const uint32_t b = __float_as_uint(x);
    if (type == 0) {
        ((float*) array)[i] = x;
    } else {
        ((uint16_t*) array)[i] = x != x ? 0x7FC0 : (b + 0x7FFF + (b >> 16 & 1)) >> 16;
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
        const float* beta, void* c, int cType, int ldc, int64_t cStride, int batches, int computeType, int) {
    FAIL_IF_ASKED
    if (computeType != 68 || aType != bType || (cType != aType && cType != 0) || m < 1 || n < 1 || k < 1
            || lda < (transposeA ? k : m) || ldb < (transposeB ? n : k) || ldc < m) {
        return 7;
    }
    for (int64_t batch = 0; batch < batches && !events; batch++) {
        for (int64_t column = 0; column < n; column++) {
            for (int64_t row = 0; row < m; row++) {
                float sum = 0;
                for (int64_t i = 0; i < k; i++) {
                    sum += load(a, aType, batch * aStride + (transposeA ? i + row * lda : row + i * lda))
                            * load(b, bType, batch * bStride + (transposeB ? column + i * ldb : i + column * ldb));
                }
                const int64_t at = batch * cStride + row + column * ldc;
                store(c, cType, at, *alpha * sum + (*beta == 0 ? 0 : *beta * load(c, cType, at)));
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

