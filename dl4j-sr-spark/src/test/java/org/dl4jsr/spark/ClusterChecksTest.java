package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterChecksTest {

    private static SparkConf conf(String... settings) {
        var conf = new SparkConf(false)
                .setMaster("spark://h:7077")
                .set("spark.executor.cores", "8")
                .set("spark.task.cpus", "8");
        for (int i = 0; i < settings.length; i += 2) {
            if (settings[i + 1].isEmpty()) {
                conf.remove(settings[i]);
            } else {
                conf.set(settings[i], settings[i + 1]);
            }
        }
        return conf;
    }

    @Test
    void whatWorksIsTaken() {
        ClusterChecks.require(conf());
        ClusterChecks.require(conf("spark.master", "yarn", "spark.dynamicAllocation.enabled", "false"));
    }

    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    spark.dynamicAllocation.enabled, true, spark.dynamicAllocation.enabled is true
                    spark.task.cpus, 1, spark.task.cpus is 1 and spark.executor.cores is 8
                    spark.task.cpus, '', spark.task.cpus is 1 and spark.executor.cores is 8
                    spark.executor.cores, '', spark.executor.cores is not set
                    spark.master, local[4], The master is local[4]
                    spark.master, local, The master is local
                    """)
    void whatCannotWorkIsRefused(String key, String value, String message) {
        SparkConf conf = conf(key, value);
        String refusal = assertThrows(IllegalArgumentException.class, () -> ClusterChecks.require(conf))
                .getMessage();
        assertEquals(message, refusal.substring(0, message.length()));
        assertTrue(refusal.contains(": ") || refusal.contains(", "), refusal);
    }

    @Test
    void ranksEncryptWhereSparkDoes() {
        assertFalse(ClusterChecks.isEncrypted(conf("spark.authenticate", "true")));
        assertTrue(
                ClusterChecks.isEncrypted(conf("spark.authenticate", "true", "spark.network.crypto.enabled", "true")));
    }
}
