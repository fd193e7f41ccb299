/** JMH benchmarks of the CPU's kernels. */
package org.dl4jsr.benchmarks.cpu;
