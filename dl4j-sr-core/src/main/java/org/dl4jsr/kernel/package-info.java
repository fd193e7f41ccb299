/**
 * The contracts of dl4j-sr's arithmetic over raw memory. {@link org.dl4jsr.kernel.Kernels} holds casts, sums and the
 * optimizers, {@link org.dl4jsr.kernel.TransformerKernels} norm, activation, attention, embedding and loss,
 * {@link org.dl4jsr.kernel.ArrayKernels} what networks of stock layers need, {@link org.dl4jsr.kernel.Matmul} matrix
 * products; {@link org.dl4jsr.kernel.KernelSet} is all of one processor, and {@link org.dl4jsr.kernel.StridedArray} all
 * that can be said about where an operand lies. Knows no implementation, and nothing of ND4J or DL4J.
 */
package org.dl4jsr.kernel;
