// Stands between a program and oneDNN (LD_PRELOAD) and counts what large products and convolutions are handed: where
// their operands start. Declares the little of oneDNN's C interface that it needs (oneapi/dnnl/dnnl.h, 3.11).

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <initializer_list>

namespace {

const int ALIGNMENT = 64;
/// A product is large for an operand each element of which takes part in so many multiplications.
const int64_t LARGE = 512;

const int CONVOLUTION = 5, MATMUL = 14; // dnnl_primitive_kind_t
const int PRIMITIVE_KIND = 2, RANK = 256, SHAPE = 257; // dnnl_query_t
const int TILES = 0xFC8; // what dnnl_cpu_isa_avx512_core_amx has and dnnl_cpu_isa_avx512_core has not

struct Argument {
    int name;
    void* memory;
};

/// oneDNN's own function.
template <class Function>
Function* own(const char* name) {
    static void* const library = dlopen("libdnnl.so.3", RTLD_LAZY | RTLD_NOLOAD);
    void* const function = library ? dlsym(library, name) : 0;
    if (!function) {
        fprintf(stderr, "oneDNN has no %s\n", name);
        abort();
    }
    return (Function*) function;
}

#define OWN(result, name, ...) static const auto name = own<result(__VA_ARGS__)>("dnnl_" #name)

int kindOf(const void* primitive) {
    OWN(int, primitive_get_primitive_desc, const void*, const void**);
    OWN(int, primitive_desc_query, const void*, int, int, void*);
    const void* description = 0;
    int kind = 0;
    primitive_get_primitive_desc(primitive, &description);
    primitive_desc_query(description, PRIMITIVE_KIND, 0, &kind);
    return kind;
}

struct Operand {
    int64_t address = 0, elements = 1, shape[12] = {};
    int rank = 0;
    bool exists = false, written = false;

    Operand() {}

    Operand(void* memory, bool written) : exists(true), written(written) {
        OWN(int, memory_get_memory_desc, const void*, const void**);
        OWN(int, memory_desc_query, const void*, int, void*);
        OWN(int, memory_get_data_handle, const void*, void**);
        const void* description = 0;
        const int64_t(*sizes)[12] = 0;
        memory_get_memory_desc(memory, &description);
        memory_desc_query(description, RANK, &rank);
        memory_desc_query(description, SHAPE, &sizes);
        memory_get_data_handle(memory, (void**) &address);
        for (int i = 0; i < rank; i++) {
            shape[i] = (*sizes)[i];
            elements *= shape[i];
        }
    }

    void print(const char* name) const {
        fprintf(stderr, " %s [", name);
        for (int i = 0; i < rank; i++) {
            fprintf(stderr, i ? ", %ld" : "%ld", (long) shape[i]);
        }
        fprintf(stderr, "]+%d", (int) (address % ALIGNMENT));
    }
};

} // namespace

extern "C" {

/// Factors of large products so far and how many of them began off a line of the cache, then their results.
__attribute__((visibility("default"))) int64_t observedOperands[4];

/// With CLAIM_TILES set, that of a processor with AMX: only there ours aligns what is handed to it.
int dnnl_get_effective_cpu_isa() {
    OWN(int, get_effective_cpu_isa);
    return get_effective_cpu_isa() | (getenv("CLAIM_TILES") ? TILES : 0);
}

int dnnl_primitive_execute(const void* primitive, void* stream, int count, const Argument* arguments) {
    OWN(int, primitive_execute, const void*, void*, int, const Argument*);
    const int kind = kindOf(primitive);
    if (kind == CONVOLUTION || kind == MATMUL) {
        Operand x, weights, y;
        for (int i = 0; i < count; i++) {
            switch (arguments[i].name) { // DNNL_ARG_...
                case 1: x = Operand(arguments[i].memory, false); break; // SRC
                case 129: x = Operand(arguments[i].memory, true); break; // DIFF_SRC
                case 33: weights = Operand(arguments[i].memory, false); break; // WEIGHTS
                case 161: weights = Operand(arguments[i].memory, true); break; // DIFF_WEIGHTS
                case 17: y = Operand(arguments[i].memory, true); break; // DST
                case 145: y = Operand(arguments[i].memory, false); break; // DIFF_DST
            }
        }
        if (!x.exists || !weights.exists || !y.exists) {
            fprintf(stderr, "A product without one of its operands\n");
            abort();
        }
        const int64_t sum = kind == MATMUL ? x.shape[x.rank - 1] : weights.elements / y.shape[1];
        bool unaligned = false;
        for (const Operand* operand : {&x, &weights, &y}) {
            if (y.elements * sum / operand->elements >= LARGE) {
                const bool off = operand->address % ALIGNMENT != 0;
                observedOperands[2 * operand->written]++;
                observedOperands[2 * operand->written + 1] += off;
                unaligned |= off;
            }
        }
        if (unaligned) {
            fprintf(stderr, kind == MATMUL ? "unaligned product:" : "unaligned convolution:");
            x.print("x");
            weights.print("weights");
            y.print("y");
            fprintf(stderr, "\n");
        }
    }
    return primitive_execute(primitive, stream, count, arguments);
}

} // extern "C"
