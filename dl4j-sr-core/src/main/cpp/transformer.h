// The transformer's kernels for vectors of SIMD_BYTES bytes. They promise a bound, not bits: sums are taken in any
// fixed order, and products are fused with sums.

namespace transformer {
#include "simd.h"
#include "scratch.h"
#include "columns.h"
#include "layernorm.h"
#include "activation.h"
#include "transpose.h"
#include "products.h"
#include "attention.h"
#include "heads.h"
#ifdef DL4JSR_AVX512BF16
#include "matmul.h"
#endif
#include "keyattention.h"
#include "embedding.h"
#include "loss.h"
#include "lstm.h"
#include "batchnorm.h"
#include "pooling.h"
}
