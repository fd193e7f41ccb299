/**
 * The kernels of the CPU: C++ (src/main/cpp) by JavaCPP for each instruction set, and matrix products by oneDNN, large
 * ones of BF16 in C++ where that is faster. {@link org.dl4jsr.kernel.cpu.CpuKernels} is the only one that chooses.
 */
package org.dl4jsr.kernel.cpu;
