// cublasLt for machines without a GPU: products by the fake cuBLAS, then what an epilogue adds. It checks what the
// caller passes: sizes, layouts, and that pointers are aligned as the heuristic was told. It says nothing about a GPU.
#include "fake_cuda.h"

#include <math.h>
#include <string.h>
#include <algorithm>
#include <vector>

extern "C" int cublasGemmStridedBatchedEx(void*, int transposeA, int transposeB, int m, int n, int k,
        const float* alpha, const void* a, int aType, int lda, int64_t aStride, const void* b, int bType, int ldb,
        int64_t bStride, const float* beta, void* c, int cType, int ldc, int64_t cStride, int batches, int computeType,
        int);

static const int CUBLAS_INVALID_VALUE = 7, CUBLAS_EXECUTION_FAILED = 13, CUBLAS_NOT_SUPPORTED = 15;
static const int FLOAT = 0, BFLOAT16 = 14;
static const size_t WORKSPACE = 1000; // that the algorithm wants

struct Product {
    int computeType, scaleType, transposeA = 0, transposeB = 0, epilogue = 1;
    uint64_t bias = 0;
};

struct Layout {
    int type;
    uint64_t rows, columns;
    int64_t leadingDimension;
    int batches = 1;
    int64_t step = 0;
};

struct Preference {
    uint64_t workspace = 0;
    uint32_t reductionSchemes = 7, alignments[4] = {256, 256, 256, 256};
};

/// What the heuristic was told: the matmul has to keep it.
struct Algorithm {
    uint64_t alignments[4], biasAlignment, addsAnotherMatrix, parts, unused;
};

struct HeuristicResult {
    Algorithm algorithm;
    size_t workspace;
    int state;
    float waves;
    int reserved[4];
};

static uint64_t alignment(uint64_t address) { return address & -address; }

template <class T> static int set(T& field, const void* value, size_t bytes) {
    if (bytes != sizeof(T)) {
        return CUBLAS_INVALID_VALUE;
    }
    memcpy(&field, value, bytes);
    return 0;
}

EXPORT int cublasLtCreate(void** handle) {
    FAIL_IF_ASKED
    *handle = (void*) 0x60;
    return 0;
}

EXPORT int cublasLtMatmulDescCreate(Product** product, int computeType, int scaleType) {
    *product = new Product{computeType, scaleType};
    return 0;
}

EXPORT int cublasLtMatmulDescDestroy(Product* product) {
    delete product;
    return 0;
}

EXPORT int cublasLtMatmulDescSetAttribute(Product* product, int attribute, const void* value, size_t bytes) {
    switch (attribute) {
        case 3: return set(product->transposeA, value, bytes);
        case 4: return set(product->transposeB, value, bytes);
        case 7: return set(product->epilogue, value, bytes);
        case 8: return set(product->bias, value, bytes);
        default: return CUBLAS_INVALID_VALUE;
    }
}

EXPORT int cublasLtMatrixLayoutCreate(Layout** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
    *layout = new Layout{type, rows, columns, leading};
    return (type == FLOAT || type == BFLOAT16) && leading >= (int64_t) rows ? 0 : CUBLAS_INVALID_VALUE;
}

EXPORT int cublasLtMatrixLayoutDestroy(Layout* layout) {
    delete layout;
    return 0;
}

EXPORT int cublasLtMatrixLayoutSetAttribute(Layout* layout, int attribute, const void* value, size_t bytes) {
    switch (attribute) {
        case 5: return set(layout->batches, value, bytes);
        case 6: return set(layout->step, value, bytes);
        default: return CUBLAS_INVALID_VALUE;
    }
}

EXPORT int cublasLtMatmulPreferenceCreate(Preference** preference) {
    *preference = new Preference();
    return 0;
}

EXPORT int cublasLtMatmulPreferenceDestroy(Preference* preference) {
    delete preference;
    return 0;
}

EXPORT int cublasLtMatmulPreferenceSetAttribute(Preference* preference, int attribute, const void* value, size_t bytes) {
    switch (attribute) {
        case 1: return set(preference->workspace, value, bytes);
        case 3: return set(preference->reductionSchemes, value, bytes);
        case 5:
        case 6:
        case 7:
        case 8: return set(preference->alignments[attribute - 5], value, bytes);
        default: return CUBLAS_INVALID_VALUE;
    }
}

static int check(const Product& product, const Layout& a, const Layout& b, const Layout& c, const Layout& d) {
    const uint64_t depth = product.transposeA ? a.rows : a.columns;
    return (product.computeType == 68 || product.computeType == 75) && product.scaleType == FLOAT && (product.epilogue == 1 || product.epilogue == 4)
                    && a.type == b.type && c.type == d.type && (d.type == a.type || d.type == FLOAT)
                    && d.rows == (product.transposeA ? a.columns : a.rows)
                    && d.columns == (product.transposeB ? b.rows : b.columns)
                    && depth == (product.transposeB ? b.columns : b.rows) && c.rows == d.rows && c.columns == d.columns
                    && a.batches == d.batches && b.batches == d.batches && c.batches == d.batches
            ? 0 : CUBLAS_INVALID_VALUE;
}

/// Three algorithms. The first adds nothing that is not in the place of the result; the second splits sums.
EXPORT int cublasLtMatmulAlgoGetHeuristic(void*, const Product* product, const Layout* a, const Layout* b,
        const Layout* c, const Layout* d, const Preference* preference, int most, HeuristicResult* results, int* found) {
    FAIL_IF_ASKED
    *found = 0;
    if (int code = check(*product, *a, *b, *c, *d)) {
        return code;
    }
    if (most < 3 || preference->workspace < WORKSPACE || preference->reductionSchemes != 2) {
        return CUBLAS_NOT_SUPPORTED;
    }
    for (; *found < 3; ++*found) {
        HeuristicResult& result = results[*found];
        memset((void*) &result, 0, sizeof(result));
        std::copy_n(preference->alignments, 4, result.algorithm.alignments);
        result.algorithm.biasAlignment = alignment(product->bias);
        result.algorithm.addsAnotherMatrix = *found > 0;
        result.algorithm.parts = *found == 1 ? 2 : 1;
        result.workspace = WORKSPACE;
    }
    return 0;
}

EXPORT int cublasLtMatmulAlgoCapGetAttribute(const Algorithm* algorithm, int attribute, void* value, size_t bytes,
        size_t* written) {
    *written = bytes;
    return attribute == 4 ? set(*(int*) value, &algorithm->addsAnotherMatrix, bytes) : CUBLAS_INVALID_VALUE;
}

EXPORT int cublasLtMatmulAlgoConfigGetAttribute(const Algorithm* algorithm, int attribute, void* value, size_t bytes,
        size_t* written) {
    *written = bytes;
    return attribute == 2 ? set(*(int*) value, &algorithm->parts, bytes) : CUBLAS_INVALID_VALUE;
}

static float load(const Layout& layout, const void* array, int64_t i) {
    if (layout.type == FLOAT) {
        return ((const float*) array)[i];
    }
    const uint32_t bits = (uint32_t) ((const uint16_t*) array)[i] << 16;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static void store(const Layout& layout, void* array, int64_t i, float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    if (layout.type == FLOAT) {
        ((float*) array)[i] = x;
    } else {
        ((uint16_t*) array)[i] = x != x ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
}

static size_t size(const Layout& layout) { return layout.type == FLOAT ? 4 : 2; }

static size_t bytes(const Layout& layout) {
    return ((layout.batches - 1) * layout.step + (layout.columns - 1) * layout.leadingDimension + layout.rows)
            * size(layout);
}

static float rounded(const Layout& layout, float x) {
    float place;
    store(layout, &place, 0, x);
    return load(layout, &place, 0);
}

EXPORT int cublasLtMatmul(void*, const Product* product, const float* alpha, const void* a, const Layout* aLayout,
        const void* b, const Layout* bLayout, const float* beta, const void* c, const Layout* cLayout, void* d,
        const Layout* dLayout, const Algorithm* algorithm, void* workspace, size_t workspaceBytes, void*) {
    FAIL_IF_ASKED
    const void* const matrices[] = {a, b, c, d};
    for (int i = 0; i < 4; i++) {
        if ((uint64_t) matrices[i] % algorithm->alignments[i]) {
            return CUBLAS_INVALID_VALUE;
        }
    }
    if (check(*product, *aLayout, *bLayout, *cLayout, *dLayout) || !workspace || workspaceBytes < WORKSPACE
            || (c != d && !algorithm->addsAnotherMatrix)
            || (product->epilogue == 4 && (!product->bias || product->bias % algorithm->biasAlignment))) {
        return CUBLAS_INVALID_VALUE;
    }
    const int rows = (int) dLayout->rows, columns = (int) dLayout->columns;
    if (fake::check(__func__, d, bytes(*dLayout)) || (*beta != 0 && fake::check(__func__, c, bytes(*cLayout)))
            || (product->epilogue == 4 && fake::check(__func__, (void*) product->bias, rows * size(*dLayout)))
            || fake::check(__func__, workspace, workspaceBytes)) {
        return CUBLAS_EXECUTION_FAILED;
    }
    std::vector<float> sums((size_t) rows * columns * dLayout->batches, NAN);
    const float zero = 0;
    if (int code = cublasGemmStridedBatchedEx(0, product->transposeA, product->transposeB, rows, columns,
            (int) (product->transposeA ? aLayout->rows : aLayout->columns), alpha, a, aLayout->type,
            (int) aLayout->leadingDimension, aLayout->step, b, bLayout->type, (int) bLayout->leadingDimension,
            bLayout->step, &zero, sums.data(), FLOAT, rows, (int64_t) rows * columns, dLayout->batches,
            product->computeType, -1)) {
        return code;
    }
    fake::Work work(__func__);
    for (int64_t batch = 0, i = 0; batch < dLayout->batches; batch++) {
        for (int64_t column = 0; column < columns; column++) {
            for (int64_t row = 0; row < rows; row++, i++) {
                float x = sums[i];
                const int64_t at = batch * dLayout->step + row + column * dLayout->leadingDimension;
                const float added = *beta == 0 ? 0
                        : *beta * load(*cLayout, c, batch * cLayout->step + row + column * cLayout->leadingDimension);
                const float bias = product->epilogue == 4 ? load(*dLayout, (const void*) product->bias, row) : 0;
                if (algorithm->parts > 1) { // as on an H100
                    x = rounded(*dLayout, x + added) + bias;
                } else if (c == d) { // as on an H100
                    x = rounded(*dLayout, x + bias) + added;
                } else {
                    x += added + bias;
                }
                store(*dLayout, d, at, x);
            }
        }
    }
    return 0;
}
