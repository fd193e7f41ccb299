// A libnvrtc.so for machines without one: "compiles" any source that has a closing brace.
#include <stddef.h>
#include <string.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

enum { COMPILATION = 6 };

static const char IMAGE[] = "\x7f" "ELF, not really";
static const char COMPLAINT[] = "error: no closing brace";
static bool compiled;

EXPORT int nvrtcVersion(int* major, int* minor) {
    *major = 13;
    *minor = 0;
    return 0;
}

EXPORT int nvrtcGetNumSupportedArchs(int* count) {
    *count = 2;
    return 0;
}

EXPORT int nvrtcGetSupportedArchs(int* archs) {
    archs[0] = 80;
    archs[1] = 90;
    return 0;
}

EXPORT int nvrtcCreateProgram(void** program, const char* source, const char*, int, const char* const*,
        const char* const*) {
    *program = (void*) 0x60;
    compiled = strchr(source, '}');
    return 0;
}

EXPORT int nvrtcDestroyProgram(void**) { return 0; }

EXPORT int nvrtcCompileProgram(void*, int, const char* const*) {
    return compiled ? 0 : COMPILATION;
}

EXPORT int nvrtcGetProgramLogSize(void*, size_t* size) {
    *size = compiled ? 1 : sizeof COMPLAINT;
    return 0;
}

EXPORT int nvrtcGetProgramLog(void*, char* log) {
    strcpy(log, compiled ? "" : COMPLAINT);
    return 0;
}

EXPORT int nvrtcGetCUBINSize(void*, size_t* size) {
    *size = sizeof IMAGE;
    return 0;
}

EXPORT int nvrtcGetCUBIN(void*, char* image) {
    memcpy(image, IMAGE, sizeof IMAGE);
    return 0;
}

EXPORT const char* nvrtcGetErrorString(int code) {
    return code == COMPILATION ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_UNKNOWN";
}
