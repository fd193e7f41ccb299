// Preloaded into a process. Counts the calls that change the files below a directory, names each in a log, and kills the
// process at one of them: before it, or with half of it done where it is a write.

#include <dlfcn.h>
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

// To be called before a call; returns whether to die after half of it.
bool count(const char* call, const char* path) {
    if (!isBelow(path)) {
        return false;
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
    if (number != atol(setting("TORTURE_CALL"))) {
        return false;
    }
    if (strcmp(call, "write") == 0 && setting("TORTURE_HALF")[0] != 0) {
        return true;
    }
    kill(getpid(), SIGKILL);
    pause();
    return false;
}

bool countName(const char* call, const char* name) {
    char path[PATH_MAX];
    absolute(name, path);
    return count(call, path);
}

bool countFile(const char* call, int file) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return false;
    }
    path[length] = 0;
    return count(call, path);
}

int opened(const char* function, const char* name, int flags, mode_t mode) {
    if ((flags & (O_CREAT | O_TRUNC)) != 0) {
        countName("open", name);
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
    if (countFile("write", file)) {
        next(file, bytes, length / 2);
        kill(getpid(), SIGKILL);
        pause();
    }
    return next(file, bytes, length);
}

int fsync(int file) {
    countFile("fsync", file);
    return original<int(int)>("fsync")(file);
}

int fdatasync(int file) {
    countFile("fsync", file);
    return original<int(int)>("fdatasync")(file);
}

int ftruncate64(int file, off64_t length) {
    countFile("truncate", file);
    return original<int(int, off64_t)>("ftruncate64")(file, length);
}

int rename(const char* from, const char* to) {
    countName("rename", to);
    return original<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* name) {
    countName("delete", name);
    return original<int(const char*)>("unlink")(name);
}

int remove(const char* name) {
    countName("delete", name);
    return original<int(const char*)>("remove")(name);
}

int mkdir(const char* name, mode_t mode) {
    countName("mkdir", name);
    return original<int(const char*, mode_t)>("mkdir")(name, mode);
}

}  // extern "C"
