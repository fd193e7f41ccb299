// Preloaded into a process. Counts the calls that change the files below a directory, names each in a log, and at one of
// them kills the process, before it or with half of it done where it is a write, or has the disk full from then on.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<long> calls{0};

const char* setting(const char* name) {
    const char* value = getenv(name);
    return value == nullptr ? "" : value;
}

template <typename F>
F* original(const char* name) {
    return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

bool isBelow(const char* path) {
    const char* directory = setting("TORTURE_DIRECTORY");
    size_t length = strlen(directory);
    return length > 0 && strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == 0);
}

// The absolute path of a name that may be relative.
void absolute(const char* name, char* path) {
    if (name[0] == '/' || getcwd(path, PATH_MAX) == nullptr) {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        size_t length = strlen(path);
        snprintf(path + length, PATH_MAX - length, "/%s", name);
    }
}

enum class Fate { GOES_ON, DIES_HALFWAY, FAILS };

[[noreturn]] void die() {
    kill(getpid(), SIGKILL);
    for (;;) {
        pause();
    }
}

// To be called before a call.
Fate count(const char* call, const char* path) {
    if (!isBelow(path)) {
        return Fate::GOES_ON;
    }
    long number = ++calls;
    const char* log = setting("TORTURE_LOG");
    if (log[0] != 0) {
        char line[2 * PATH_MAX];
        int length = snprintf(line, sizeof line, "%s %s\n", call, path);
        long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
        syscall(SYS_write, file, line, length);
        syscall(SYS_close, file);
    }
    long chosen = atol(setting("TORTURE_CALL"));
    const char* how = setting("TORTURE_HOW");
    if (strcmp(how, "FULL_DISK") == 0) {
        bool needsRoom = strcmp(call, "delete") != 0 && strcmp(call, "truncate") != 0;
        return needsRoom && chosen > 0 && number >= chosen ? Fate::FAILS : Fate::GOES_ON;
    }
    if (number != chosen) {
        return Fate::GOES_ON;
    }
    if (strcmp(how, "HALFWAY") == 0 && strcmp(call, "write") == 0) {
        return Fate::DIES_HALFWAY;
    }
    die();
}

// Whether the call is to fail.
bool failsByName(const char* call, const char* name) {
    char path[PATH_MAX];
    absolute(name, path);
    if (count(call, path) == Fate::FAILS) {
        errno = ENOSPC;
        return true;
    }
    return false;
}

Fate countFile(const char* call, int file) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return Fate::GOES_ON;
    }
    path[length] = 0;
    Fate fate = count(call, path);
    if (fate == Fate::FAILS) {
        errno = ENOSPC;
    }
    return fate;
}

int opened(const char* function, const char* name, int flags, mode_t mode) {
    if ((flags & (O_CREAT | O_TRUNC)) != 0 && failsByName("open", name)) {
        return -1;
    }
    return original<int(const char*, int, mode_t)>(function)(name, flags, mode);
}

}  // namespace

extern "C" {

int open(const char* name, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened("open", name, flags, mode);
}

int open64(const char* name, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened("open64", name, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t length) {
    auto next = original<ssize_t(int, const void*, size_t)>("write");
    switch (countFile("write", file)) {
        case Fate::DIES_HALFWAY:
            next(file, bytes, length / 2);
            die();
        case Fate::FAILS:
            return -1;
        default:
            return next(file, bytes, length);
    }
}

int fsync(int file) {
    return countFile("fsync", file) == Fate::FAILS ? -1 : original<int(int)>("fsync")(file);
}

int fdatasync(int file) {
    return countFile("fsync", file) == Fate::FAILS ? -1 : original<int(int)>("fdatasync")(file);
}

int ftruncate64(int file, off64_t length) {
    countFile("truncate", file);
    return original<int(int, off64_t)>("ftruncate64")(file, length);
}

int rename(const char* from, const char* to) {
    return failsByName("rename", to) ? -1 : original<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* name) {
    failsByName("delete", name);
    return original<int(const char*)>("unlink")(name);
}

int remove(const char* name) {
    failsByName("delete", name);
    return original<int(const char*)>("remove")(name);
}

int mkdir(const char* name, mode_t mode) {
    return failsByName("mkdir", name) ? -1 : original<int(const char*, mode_t)>("mkdir")(name, mode);
}

}  // extern "C"
