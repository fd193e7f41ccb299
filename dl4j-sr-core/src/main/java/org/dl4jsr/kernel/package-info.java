/**
 * The arithmetic of dl4j-sr over raw memory, one implementation a device. {@link org.dl4jsr.kernel.Kernels} holds the
 * optimizer and the transformer's element-wise, norm, attention and loss kernels,
 * {@link org.dl4jsr.kernel.ArrayKernels} what networks of stock layers need; {@link org.dl4jsr.kernel.Matmul}
 * multiplies matrices. Which implementation runs is decided once and logged. Knows nothing of ND4J or DL4J.
 */
package org.dl4jsr.kernel;
