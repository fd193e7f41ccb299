/**
 * dl4j-sr's ND4J backend, found through {@code META-INF/services}: store BF16, compute FP32.
 * {@link org.dl4jsr.backend.OpDispatch} decides for each op: BF16 products run on the device's own, ops that ND4J computes
 * bit-right in BF16 stay native, others have a {@link org.dl4jsr.backend.Shortcut} or are promoted to FP32 and back (see
 * {@link org.dl4jsr.backend.Treatment}), and the ops of {@link org.dl4jsr.op} run on our kernels. Nothing changes for
 * arrays that are not BF16.
 */
package org.dl4jsr.backend;
