/**
 * ND4J's CPU backend with its arrays in memory that a GPU shares: ops of ours run as CUDA kernels on the very addresses
 * that ND4J knows, all other ops on the CPU over the same memory. nd4j-cuda, which has no code for compute capability 9.0
 * and up, is not needed.
 *
 * <p>Kernels are queued on one stream. Whoever touches memory that the GPU may still write waits for it first: ND4J's
 * native ops ({@code OpDispatch}, and {@link org.dl4jsr.backend.unified.UnifiedNativeOps} for what goes past it), reads
 * and writes of single elements (the buffers' indexers), and whoever asks a buffer for its address. The GPU is given
 * FLOAT, BFLOAT16 and INT32 arrays only, and only reads INT32: those of other types lie in ordinary memory.
 */
package org.dl4jsr.backend.unified;
