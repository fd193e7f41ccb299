// What the parts of the fake driver share.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

enum {
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_IMAGE = 200,
    INVALID_CONTEXT = 201,
    NOT_FOUND = 500,
    NOT_READY = 600,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILED = 719
};

extern "C" {

/// What has happened so far, for the tests.
extern struct FakeCounters {
    int64_t launches, modules, allocations, waits;
} fakeCounters;

/// Set by the tests before the driver is used, or by variables of the environment.
extern struct FakeSettings {
    int64_t memory; // bytes of each GPU: FAKE_GPU_MEMORY
    int64_t concurrentManagedAccess; // 0: a CPU must not touch managed memory while a GPU runs: FAKE_GPU_SHARES
    int64_t trap; // see fake::Trap: FAKE_GPU_TRAP
    int64_t gpus; // 2 at most: FAKE_GPU_COUNT
    int64_t computeCapability; // 90 for 9.0: FAKE_GPU_CAPABILITY
} fakeSettings;

}

namespace fake {

/// The code that the test has asked this call to return, once; else 0.
int failure(const char* call);

/// Whether the calling thread has made a context current.
bool hasContext();

/// Whether this memory is within a block that the driver has given out or registered.
bool canReach(const void* memory, size_t bytes);

/// 0 if the GPU can reach this memory; else says that `name` was given it, and returns the error. A real GPU's comes later,
/// or not at all where all of the host's memory is its own, too.
int check(const char* name, const void* memory, size_t bytes);

/// Who has to wait for the GPU before touching managed and pinned memory, or ends by a segmentation fault. With GIVERS
/// the threads that have given the GPU something to do since the last wait; others may rightly be at work on memory that
/// the GPU does not use.
enum Trap { NOBODY, EVERYBODY, GIVERS };

/// A kernel, copy or the like, which runs while this lives. One at a time; they do not nest.
struct Work {
    explicit Work(const char* name);
    Work(const Work&) = delete;
    ~Work();
};

} // namespace fake

#define FAIL_IF_ASKED \
    if (int code = fake::failure(__func__)) { \
        return code; \
    }

#define NEEDS_CONTEXT \
    FAIL_IF_ASKED \
    if (!fake::hasContext()) { \
        return INVALID_CONTEXT; \
    }
