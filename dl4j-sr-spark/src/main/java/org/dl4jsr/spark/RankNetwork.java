package org.dl4jsr.spark;

import java.time.Duration;
import java.util.Map;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;

/** Settings of Spark's network library for what the ranks of an attempt open. */
final class RankNetwork {

    /** How long a connection may be silent where nobody waits for an answer: a month. */
    static final Duration IDLE = Duration.ofDays(30);

    private static final String MODULE = "dl4jsr";

    private RankNetwork() {}

    /**
     * @param encrypted whether all that is sent is encrypted, by AES-GCM
     * @param threads for each direction
     * @param idle how long a connection may be silent
     */
    static TransportConf configuration(boolean encrypted, int threads, Duration idle) {
        return new TransportConf(
                MODULE,
                new MapConfigProvider(Map.of(
                        "spark.network.crypto.enabled",
                        "" + encrypted,
                        "spark.network.crypto.cipher",
                        "AES/GCM/NoPadding",
                        "spark.network.crypto.saslFallback",
                        "false",
                        "spark." + MODULE + ".io.numConnectionsPerPeer",
                        "1",
                        "spark." + MODULE + ".io.serverThreads",
                        "" + threads,
                        "spark." + MODULE + ".io.clientThreads",
                        "" + threads,
                        "spark." + MODULE + ".io.connectionTimeout",
                        idle.toSeconds() + "s")));
    }
}
