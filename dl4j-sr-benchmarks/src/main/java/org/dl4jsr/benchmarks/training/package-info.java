/** JMH benchmarks of training steps. */
package org.dl4jsr.benchmarks.training;
