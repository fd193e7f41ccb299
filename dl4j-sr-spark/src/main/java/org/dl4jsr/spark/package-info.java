/**
 * Data-parallel training on the executors of a Spark cluster: {@link org.dl4jsr.spark.SparkTraining} starts one rank an
 * executor, in a barrier stage, and starts them again from the newest checkpoint where one is lost. The ranks speak to
 * each other directly, over Spark's own network library and with its authentication and encryption.
 */
package org.dl4jsr.spark;
