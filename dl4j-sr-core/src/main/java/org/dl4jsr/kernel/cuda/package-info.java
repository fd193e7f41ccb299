/**
 * The kernels on an NVIDIA GPU: CUDA C++ (src/main/cuda) compiled by NVRTC at run time for the GPU at hand and launched
 * through the driver API, and matrix products by cuBLAS. Knows nothing of ND4J. Needs the classes of JavaCPP's CUDA
 * preset, 11.6-8.3-1.5.7 or 13.1-9.19-1.5.13, which are not on dl4j-sr's class path by themselves.
 *
 * <p>The tests run the same sources, compiled by g++, through a fake driver, and NVRTC compiles them; GpuSelfTest of
 * dl4j-sr-benchmarks is for a GPU at hand. What has run on one, docs/gpu.md says.
 */
package org.dl4jsr.kernel.cuda;
