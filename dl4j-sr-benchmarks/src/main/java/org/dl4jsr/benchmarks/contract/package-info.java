/**
 * What every implementation of the kernels must do: one case an op, which runs on the Java kernels and on all others,
 * on CPUs and GPUs. Needs no ND4J.
 */
package org.dl4jsr.benchmarks.contract;
