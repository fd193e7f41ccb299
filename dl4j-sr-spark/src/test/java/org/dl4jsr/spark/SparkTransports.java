package org.dl4jsr.spark;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jsr.parallel.Transport;

/** Connected ranks of one process. */
public final class SparkTransports {

    private SparkTransports() {}

    /** Over loopback, with a key of their own. */
    public static List<Transport> connected(int ranks, boolean encrypted) {
        return List.copyOf(connected(ranks, encrypted, Duration.ofSeconds(30)));
    }

    static List<SparkTransport> connected(int ranks, boolean encrypted, Duration deadline) {
        AttemptKey key = AttemptKey.random(0);
        List<SparkTransport> transports = IntStream.range(0, ranks)
                .mapToObj(rank -> new SparkTransport(rank, ranks, "127.0.0.1", key, encrypted, deadline))
                .toList();
        List<String> addresses = addresses(transports);
        transports.forEach(transport -> transport.connect(addresses));
        return transports;
    }

    static List<String> addresses(List<SparkTransport> transports) {
        return transports.stream()
                .map(transport -> "127.0.0.1:" + transport.port())
                .toList();
    }
}
