package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.dl4jsr.parallel.Transport;
import org.dl4jsr.parallel.TransportException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks of one process that speak over loopback. */
@Timeout(60)
class SparkTransportTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final List<SparkTransport> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.forEach(SparkTransport::close);
    }

    private SparkTransport transport(int rank, int ranks, AttemptKey key, boolean encrypted, Duration deadline) {
        var transport = new SparkTransport(rank, ranks, "127.0.0.1", key, encrypted, deadline);
        open.add(transport);
        return transport;
    }

    private List<SparkTransport> connected(int ranks, boolean encrypted, Duration deadline) {
        List<SparkTransport> transports = SparkTransports.connected(ranks, encrypted, deadline);
        open.addAll(transports);
        return transports;
    }

    private static byte[] bytes(int seed, int length) {
        var bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void messagesArriveInOrder(boolean encrypted) throws Exception {
        List<SparkTransport> transports = connected(2, encrypted, DEADLINE);
        var pool = Executors.newSingleThreadExecutor();
        Future<?> sent = pool.submit(() -> {
            ByteBuffer memory = ByteBuffer.allocateDirect(Transport.LARGEST_MESSAGE);
            for (int i = 0; i < 3 * Transport.WINDOW; i++) {
                memory.clear().put(bytes(i, length(i))).flip();
                transports
                        .get(0)
                        .send(
                                1,
                                memory.slice(0, Math.min(3, memory.limit())),
                                memory.position(Math.min(3, memory.limit())));
            }
        });
        for (int i = 0; i < 3 * Transport.WINDOW; i++) {
            assertArrayEquals(bytes(i, length(i)), received(transports.get(1), 0), "message " + i);
        }
        sent.get();
        pool.shutdown();
    }

    private static byte[] received(Transport transport, int from) {
        ByteBuffer message = transport.receive(from);
        var bytes = new byte[message.remaining()];
        message.get(bytes);
        return bytes;
    }

    private static int length(int message) {
        return message % 2 == 0 ? Transport.LARGEST_MESSAGE : message;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWrongKeyIsRefusedAndTheOthersGoOn(boolean encrypted) throws Exception {
        List<SparkTransport> transports = connected(2, encrypted, DEADLINE);
        List<String> addresses = SparkTransports.addresses(transports);
        SparkTransport stranger = transport(0, 2, AttemptKey.random(0), encrypted, DEADLINE);
        assertTrue(assertThrows(TransportException.class, () -> stranger.connect(addresses))
                .getMessage()
                .startsWith("Rank 0 cannot reach rank 1 at 127.0.0.1:"));
        SparkTransport older = transport(0, 2, AttemptKey.random(1), encrypted, DEADLINE);
        assertThrows(TransportException.class, () -> older.connect(addresses));
        transports.get(0).send(1, NOTHING, ByteBuffer.wrap(bytes(1, 5)));
        assertArrayEquals(bytes(1, 5), received(transports.get(1), 0));
    }

    @Test
    void whatWasSentBeforeLeavingArrives() throws Exception {
        List<SparkTransport> transports = connected(3, false, DEADLINE);
        var pool = Executors.newSingleThreadExecutor();
        Future<?> left = pool.submit(() -> {
            transports.get(0).send(1, NOTHING, ByteBuffer.wrap(bytes(1, 5)));
            transports.get(0).close();
        });
        assertArrayEquals(bytes(1, 5), received(transports.get(1), 0));
        for (int rank = 1; rank < 3; rank++) {
            SparkTransport other = transports.get(rank);
            var error = assertThrows(TransportException.class, () -> other.receive(0));
            assertTrue(error.getMessage().startsWith("Rank 0 has left"), error::getMessage);
        }
        left.get();
        pool.shutdown();
    }

    /** What comes over it is neither carried nor refused, as if a cable were cut. */
    @Test
    void bothEndsOfACutLinkFail() throws Exception {
        AttemptKey key = AttemptKey.random(0);
        var deadline = Duration.ofMillis(500);
        SparkTransport first = transport(0, 2, key, true, deadline);
        SparkTransport second = transport(1, 2, key, true, deadline);
        try (var there = new Relay(second.port());
                var back = new Relay(first.port())) {
            first.connect(List.of("", "127.0.0.1:" + there.port()));
            second.connect(List.of("127.0.0.1:" + back.port(), ""));
            first.send(1, NOTHING, ByteBuffer.wrap(bytes(1, 5)));
            assertArrayEquals(bytes(1, 5), received(second, 0));
            there.cut();
            back.cut();
            first.send(1, NOTHING, ByteBuffer.wrap(bytes(2, 5)));
            var error = assertThrows(TransportException.class, () -> second.receive(0));
            assertTrue(error.getMessage().equals("Rank 0 has sent nothing for PT0.5S"), error::getMessage);
            error = assertThrows(TransportException.class, () -> first.receive(1));
            assertTrue(error.getMessage().equals("Rank 1 has sent nothing for PT0.5S"), error::getMessage);
        }
    }

    @Test
    void nobodyWaitsLongerThanTheDeadline() {
        List<SparkTransport> transports = connected(2, false, Duration.ofMillis(300));
        var error =
                assertThrows(TransportException.class, () -> transports.get(0).receive(1));
        assertTrue(error.getMessage().equals("Rank 1 has sent nothing for PT0.3S"), error::getMessage);
        for (int i = 0; i < Transport.WINDOW; i++) {
            transports.get(0).send(1, NOTHING, ByteBuffer.allocate(1));
        }
        error = assertThrows(
                TransportException.class, () -> transports.get(0).send(1, NOTHING, ByteBuffer.allocate(1)));
        assertTrue(error.getMessage().equals("Rank 1 has not received messages for PT0.3S"), error::getMessage);
    }
}
