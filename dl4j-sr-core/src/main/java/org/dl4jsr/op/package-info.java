/**
 * ND4J custom ops with dl4j-sr's kernels behind them. An op checks its arrays (types, shapes, strides) and hands raw
 * addresses to {@link org.dl4jsr.kernel.Kernels} and {@link org.dl4jsr.kernel.Matmul}.
 */
package org.dl4jsr.op;
