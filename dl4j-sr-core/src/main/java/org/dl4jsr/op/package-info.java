/**
 * ND4J custom ops with dl4j-sr's kernels behind them. An op checks its arrays (types, shapes, strides) and hands raw
 * addresses to the contracts of {@link org.dl4jsr.kernel}.
 */
package org.dl4jsr.op;
