/** The GPU self-test: {@link org.dl4jsr.benchmarks.contract.KernelContract} on a GPU, then measurements. */
package org.dl4jsr.benchmarks.gpu;
