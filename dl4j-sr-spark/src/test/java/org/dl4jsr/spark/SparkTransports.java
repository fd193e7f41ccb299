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

    /** Tells all ranks all addresses. */
    public interface Rendezvous {

        /** Returns those of all ranks, host:port, once they are known; {@code own} is one of them. */
        List<String> addresses(String own) throws Exception;
    }

    /** One of two, the other of which another process has; not encrypted. The key of both is known to all. */
    public static Transport joined(int rank, String host, Rendezvous rendezvous) throws Exception {
        var key = new AttemptKey(0, "measurement");
        var transport = new SparkTransport(rank, 2, host, key, false, Duration.ofSeconds(30));
        transport.connect(rendezvous.addresses(host + ":" + transport.port()));
        return transport;
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
