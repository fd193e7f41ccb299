package org.dl4jsr.spark;

import org.apache.spark.SparkConf;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether ranks can train on a cluster as it is configured; what cannot work is refused before anything starts. */
final class ClusterChecks {

    private static final Logger LOG = LoggerFactory.getLogger(ClusterChecks.class);

    private ClusterChecks() {}

    /** @throws IllegalArgumentException with what to set */
    static void require(SparkConf conf) {
        String master = conf.get("spark.master", "");
        if (master.matches("local(\\[.*])?")) {
            throw new IllegalArgumentException("The master is " + master + ", which has no executors of its own: use"
                    + " LocalCluster, or train on one rank with DataParallel");
        }
        if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
            throw new IllegalArgumentException("spark.dynamicAllocation.enabled is true, and a barrier stage needs its"
                    + " executors at once: set it to false");
        }
        String cpus = conf.get("spark.task.cpus", "1");
        String cores = conf.get("spark.executor.cores", "");
        if (cores.isEmpty() && !master.startsWith("local-cluster")) {
            throw new IllegalArgumentException(
                    "spark.executor.cores is not set: set it and spark.task.cpus to the cores"
                            + " of a rank, so that an executor has one rank with all of its cores");
        }
        if (!cores.isEmpty() && !cores.equals(cpus)) {
            throw new IllegalArgumentException("spark.task.cpus is " + cpus + " and spark.executor.cores is " + cores
                    + ": set both to the same, so that an executor has one rank with all of its cores");
        }
    }

    /** Says what works, but not as one may think. */
    static void warn(SparkConf conf) {
        if (!isEncrypted(conf)) {
            LOG.warn("spark.network.crypto.enabled is not true: ranks ask each other for a key, but the driver sends it"
                    + " to them in plain text, and what they send is not encrypted");
        }
    }

    /** Whether Spark encrypts what it sends; ranks do then, too. */
    static boolean isEncrypted(SparkConf conf) {
        return conf.getBoolean("spark.authenticate", false) && conf.getBoolean("spark.network.crypto.enabled", false);
    }
}
