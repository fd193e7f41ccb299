/**
 * The kernels on an NVIDIA GPU: CUDA C++ (src/main/cuda) compiled by NVRTC at run time for the GPU at hand and launched
 * through the driver API, and matrix products by cuBLAS. Knows nothing of ND4J. Needs the classes of JavaCPP's CUDA
 * preset, 11.6-8.3-1.5.7 or 13.1-9.19-1.5.13, which are not on dl4j-sr's class path by themselves.
 *
 * <p>None of it has run on a GPU so far. The tests run the same sources, compiled by g++, through a fake driver, and
 * NVRTC compiles them; GpuSelfTest of dl4j-sr-benchmarks is for the first GPU at hand.
 */
package org.dl4jsr.kernel.cuda;
