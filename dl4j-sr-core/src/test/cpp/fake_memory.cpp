// The fake driver's memory, and its streams, which are there to be waited for. All memory is the host's; but the CPU
// cannot touch what is a GPU's own, nor, with the trap set, any that the GPU shares with it before it has waited for the
// GPU's work. Work runs at once, so that a missing wait would pass unseen otherwise.
#include "fake_cuda.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <algorithm>
#include <map>
#include <mutex>
#include <set>

static int64_t setting(const char* variable, int64_t otherwise) {
    const char* text = getenv(variable);
    return text ? atoll(text) : otherwise;
}

extern "C" {

FakeSettings fakeSettings = {setting("FAKE_GPU_MEMORY", 8ll << 30), setting("FAKE_GPU_SHARES", 1),
                             setting("FAKE_GPU_TRAP", fake::NOBODY), setting("FAKE_GPU_COUNT", 2),
                             setting("FAKE_GPU_CAPABILITY", 90)};

}

namespace fake {

enum Kind { DEVICE, MANAGED, PINNED };

static const size_t PAGE = 4 << 10, HUGE_PAGE = 2 << 20;
static const size_t RESERVED = 64ull << 30; // of addresses

static size_t roundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

static int64_t used[PINNED + 1]; // bytes

/// Blocks in one piece of the address space, so that one system call shuts them all.
class Range {
    struct Block {
        size_t size;
        Kind kind;
    };

    char* start;
    size_t end = 0; // of the huge page of the last block that there ever was
    bool open = true;
    std::map<size_t, Block> blocks; // by offset
    std::map<size_t, size_t> holes; // sizes by offset

    void apply() { mprotect(start, end, open ? PROT_READ | PROT_WRITE : PROT_NONE); }

public:
    Range() : holes{{0, RESERVED}} {
        void* all = mmap(0, RESERVED + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED) {
            perror("fake CUDA driver: no address space");
            abort();
        }
        start = (char*) roundUp((size_t) all, HUGE_PAGE);
        madvise(start, RESERVED, MADV_HUGEPAGE); // a page to shut in place of 512
    }

    bool contains(const void* address) const { return address >= start && address < start + end; }

    /// Whether this is within a block of this kind.
    bool holds(const char* address, Kind kind) const {
        return holds(address, 1) && std::prev(blocks.upper_bound(address - start))->second.kind == kind;
    }

    /// Whether this is within a block.
    bool holds(const char* address, size_t bytes) const {
        const auto after = contains(address) ? blocks.upper_bound(address - start) : blocks.begin();
        return after != blocks.begin()
                && address + bytes <= start + std::prev(after)->first + std::prev(after)->second.size;
    }

    void setOpen(bool wanted) {
        if (wanted != open) {
            open = wanted;
            apply();
        }
    }

    /// A block of whole pages full of 0xA5.
    char* take(Kind kind, size_t bytes) {
        const size_t size = roundUp(bytes, PAGE);
        auto hole = std::find_if(holes.begin(), holes.end(), [&](auto& hole) { return hole.second >= size; });
        if (hole == holes.end()) {
            return 0;
        }
        const auto [at, room] = *hole;
        holes.erase(hole);
        if (room > size) {
            holes[at + size] = room - size;
        }
        blocks[at] = {size, kind};
        used[kind] += size;
        end = std::max(end, roundUp(at + size, HUGE_PAGE)); // what is open in part gets small pages
        const bool wasOpen = open;
        open = true;
        apply();
        memset(start + at, 0xA5, size);
        setOpen(wasOpen);
        return start + at;
    }

    /// Frees a block; false if there is none.
    bool give(Kind kind, const void* address) {
        const auto block = blocks.find((const char*) address - start);
        if (block == blocks.end() || block->second.kind != kind) {
            return false;
        }
        const size_t at = block->first;
        size_t size = block->second.size;
        blocks.erase(block);
        used[kind] -= size;
        const size_t whole = roundUp(at, HUGE_PAGE);
        if (at + size >= whole + HUGE_PAGE) { // less would split a huge page
            madvise(start + whole, (at + size - whole) / HUGE_PAGE * HUGE_PAGE, MADV_DONTNEED);
        }
        auto next = holes.lower_bound(at);
        if (next != holes.end() && next->first == at + size) {
            size += next->second;
            next = holes.erase(next);
        }
        if (next != holes.begin() && std::prev(next)->first + std::prev(next)->second == at) {
            std::prev(next)->second += size;
        } else {
            holes[at] = size;
        }
        return true;
    }
};

static std::mutex mutex;
static Range own, shared;
static std::set<pid_t> givers; // since the last wait
static std::map<const char*, size_t> registered; // sizes by address
static const char* latest = "";
static struct sigaction before;

/// Opens what may be touched; else goes on to Java's handler, which knows its own faults, and writes a report and ends
/// the process for others.
static void onFault(int signal, siginfo_t* info, void* context) {
    const void* address = info->si_addr;
    if (shared.contains(address) || own.contains(address)) {
        std::lock_guard<std::mutex> lock(mutex);
        if (shared.contains(address) && (fakeSettings.trap != EVERYBODY && !givers.count(gettid()))) {
            shared.setOpen(true);
            return;
        }
        dprintf(2, own.contains(address) ? "Fake GPU: the CPU touches %p, which is the GPU's own memory\n"
                                         : "Fake GPU: the CPU touches %p, but nobody has waited for %s\n",
                address, latest);
        sigaction(signal, &before, 0); // the report may touch such memory
    }
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(signal, info, context);
    }
}

static void handleFaults() {
    struct sigaction action = {};
    action.sa_sigaction = onFault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before);
}

Work::Work(const char* name) {
    mutex.lock();
    latest = name;
    own.setOpen(true);
    shared.setOpen(true);
}

Work::~Work() {
    givers.insert(gettid());
    if (fakeSettings.trap != NOBODY) {
        static std::once_flag once;
        std::call_once(once, handleFaults);
        own.setOpen(false);
        shared.setOpen(false);
    }
    mutex.unlock();
}

static bool isRegistered(const char* address, size_t bytes) {
    const auto after = registered.upper_bound(address);
    return after != registered.begin() && address + bytes <= std::prev(after)->first + std::prev(after)->second;
}

bool canReach(const void* memory, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    const char* const address = (const char*) memory;
    return own.holds(address, bytes) || shared.holds(address, bytes) || isRegistered(address, bytes);
}

int check(const char* name, const void* memory, size_t bytes) {
    if (canReach(memory, bytes)) {
        return 0;
    }
    fprintf(stderr, "Fake GPU: %s was given %zu bytes at %p, which the GPU cannot reach\n", name, bytes, memory);
    return ILLEGAL_ADDRESS;
}

static void wait() {
    std::lock_guard<std::mutex> lock(mutex);
    fakeCounters.waits++;
    givers.clear();
    shared.setOpen(true);
}

static int allocate(Kind kind, size_t bytes, uint64_t* address) {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (kind != PINNED && used[DEVICE] + used[MANAGED] + (int64_t) bytes > fakeSettings.memory) {
        return OUT_OF_MEMORY; // a real driver would move managed memory to the host and back
    }
    *address = (uint64_t) (kind == DEVICE ? own : shared).take(kind, bytes);
    fakeCounters.allocations++;
    return *address ? 0 : OUT_OF_MEMORY;
}

static int release(Kind kind, uint64_t address) {
    std::lock_guard<std::mutex> lock(mutex);
    if (address == 0) {
        return 0;
    }
    if (!(kind == DEVICE ? own : shared).give(kind, (void*) address)) {
        return INVALID_VALUE;
    }
    fakeCounters.allocations--;
    return 0;
}

} // namespace fake

using namespace fake;

EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = fakeSettings.memory;
    return 0;
}

EXPORT int cuMemGetInfo_v2(size_t* unused, size_t* total) {
    NEEDS_CONTEXT
    std::lock_guard<std::mutex> lock(mutex);
    *total = fakeSettings.memory;
    *unused = fakeSettings.memory - used[DEVICE] - used[MANAGED];
    return 0;
}

EXPORT int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
    NEEDS_CONTEXT
    return allocate(DEVICE, bytes, address);
}

EXPORT int cuMemAllocManaged(uint64_t* address, size_t bytes, unsigned flags) {
    NEEDS_CONTEXT
    return flags == 1 || flags == 2 ? allocate(MANAGED, bytes, address) : INVALID_VALUE;
}

EXPORT int cuMemFree_v2(uint64_t address) {
    NEEDS_CONTEXT
    return release(own.contains((void*) address) ? DEVICE : MANAGED, address);
}

EXPORT int cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    NEEDS_CONTEXT
    return allocate(PINNED, bytes, (uint64_t*) address);
}

EXPORT int cuMemFreeHost(void* address) {
    NEEDS_CONTEXT
    return release(PINNED, (uint64_t) address);
}

/// Memory of the host's own: the CPU may touch it at any time.
EXPORT int cuMemHostRegister_v2(void* memory, size_t bytes, unsigned) {
    NEEDS_CONTEXT
    std::lock_guard<std::mutex> lock(mutex);
    registered[(const char*) memory] = bytes;
    return bytes ? 0 : INVALID_VALUE;
}

EXPORT int cuMemHostGetDevicePointer_v2(uint64_t* device, void* host, unsigned) {
    *device = (uint64_t) host;
    return 0;
}

/// By value in CUDA.
struct Location {
    int type, id;
};

EXPORT int cuMemAdvise_v2(uint64_t address, size_t, int, Location) {
    NEEDS_CONTEXT
    return shared.contains((void*) address) ? 0 : INVALID_VALUE;
}

EXPORT int cuMemPrefetchAsync_v2(uint64_t address, size_t, Location, unsigned, void*) {
    NEEDS_CONTEXT
    return shared.contains((void*) address) ? 0 : INVALID_VALUE;
}

/// @param targetIsHost whether the target is any memory of the host's; so for the source
static int copy(const char* name, void* target, bool targetIsHost, const void* source, bool sourceIsHost,
        size_t bytes) {
    if ((!targetIsHost && check(name, target, bytes)) || (!sourceIsHost && check(name, source, bytes))) {
        return ILLEGAL_ADDRESS;
    }
    Work work(name);
    memmove(target, source, bytes);
    return 0;
}

/// Whether this is memory of the host's that does not move.
static bool staysOnHost(uint64_t memory) {
    std::lock_guard<std::mutex> lock(mutex);
    const char* const address = (const char*) memory;
    return shared.holds(address, PINNED) || isRegistered(address, 1);
}

EXPORT int cuMemcpyAsync(uint64_t target, uint64_t source, size_t bytes, void*) {
    NEEDS_CONTEXT
    if (staysOnHost(target) && staysOnHost(source)) {
        fakeCounters.waits++; // "API synchronization behavior" of CUDA's manual
    }
    return copy(__func__, (void*) target, false, (void*) source, false, bytes);
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t target, const void* source, size_t bytes, void*) {
    NEEDS_CONTEXT
    return copy(__func__, (void*) target, false, source, true, bytes);
}

EXPORT int cuMemcpyDtoHAsync_v2(void* target, uint64_t source, size_t bytes, void*) {
    NEEDS_CONTEXT
    return copy(__func__, target, true, (void*) source, false, bytes);
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t target, uint64_t source, size_t bytes, void*) {
    NEEDS_CONTEXT
    return copy(__func__, (void*) target, false, (void*) source, false, bytes);
}

EXPORT int cuMemsetD8Async(uint64_t target, unsigned char value, size_t bytes, void*) {
    NEEDS_CONTEXT
    if (int code = check(__func__, (void*) target, bytes)) {
        return code;
    }
    Work work(__func__);
    memset((void*) target, value, bytes);
    return 0;
}

EXPORT int cuStreamCreate(void** stream, unsigned) {
    NEEDS_CONTEXT
    *stream = (void*) 0x20;
    return 0;
}

EXPORT int cuStreamSynchronize(void*) {
    NEEDS_CONTEXT
    wait();
    return 0;
}

EXPORT int cuStreamQuery(void*) {
    NEEDS_CONTEXT
    std::lock_guard<std::mutex> lock(mutex);
    return givers.empty() ? 0 : NOT_READY;
}

EXPORT int cuCtxSynchronize() {
    NEEDS_CONTEXT
    wait();
    return 0;
}

/// Of no use for what is shared, since work that was given after the event may still run.
EXPORT int cuEventSynchronize(void*) {
    NEEDS_CONTEXT
    return 0;
}
