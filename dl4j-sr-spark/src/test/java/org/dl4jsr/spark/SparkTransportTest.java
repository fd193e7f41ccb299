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
        AttemptKey key = AttemptKey.random(0);
        var transports = new ArrayList<SparkTransport>();
        for (int rank = 0; rank < ranks; rank++) {
            transports.add(transport(rank, ranks, key, encrypted, deadline));
        }
        List<String> addresses = addresses(transports);
        transports.forEach(transport -> transport.connect(addresses));
        return transports;
    }

    private static List<String> addresses(List<SparkTransport> transports) {
        return transports.stream()
                .map(transport -> "127.0.0.1:" + transport.port())
                .toList();
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
                transports.get(0).send(1, memory);
            }
        });
        for (int i = 0; i < 3 * Transport.WINDOW; i++) {
            ByteBuffer target = ByteBuffer.allocate(Transport.LARGEST_MESSAGE);
            transports.get(1).receive(0, target);
            var received = new byte[target.flip().remaining()];
            target.get(received);
            assertArrayEquals(bytes(i, length(i)), received, "message " + i);
        }
        sent.get();
        pool.shutdown();
    }

    private static int length(int message) {
        return message % 2 == 0 ? Transport.LARGEST_MESSAGE : message;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aWrongKeyIsRefusedAndTheOthersGoOn(boolean encrypted) throws Exception {
        List<SparkTransport> transports = connected(2, encrypted, DEADLINE);
        List<String> addresses = addresses(transports);
        SparkTransport stranger = transport(0, 2, AttemptKey.random(0), encrypted, DEADLINE);
        assertTrue(assertThrows(TransportException.class, () -> stranger.connect(addresses))
                .getMessage()
                .startsWith("Rank 0 cannot reach rank 1 at 127.0.0.1:"));
        SparkTransport older = transport(0, 2, AttemptKey.random(1), encrypted, DEADLINE);
        assertThrows(TransportException.class, () -> older.connect(addresses));
        transports.get(0).send(1, ByteBuffer.wrap(bytes(1, 5)));
        ByteBuffer target = ByteBuffer.allocate(5);
        transports.get(1).receive(0, target);
        assertArrayEquals(bytes(1, 5), target.array());
    }

    @Test
    void whatWasSentBeforeLeavingArrives() throws Exception {
        List<SparkTransport> transports = connected(3, false, DEADLINE);
        var pool = Executors.newSingleThreadExecutor();
        Future<?> left = pool.submit(() -> {
            transports.get(0).send(1, ByteBuffer.wrap(bytes(1, 5)));
            transports.get(0).close();
        });
        ByteBuffer target = ByteBuffer.allocate(5);
        transports.get(1).receive(0, target);
        assertArrayEquals(bytes(1, 5), target.array());
        for (int rank = 1; rank < 3; rank++) {
            SparkTransport other = transports.get(rank);
            var error = assertThrows(TransportException.class, () -> other.receive(0, target.clear()));
            assertTrue(error.getMessage().startsWith("Rank 0 has left"), error::getMessage);
        }
        left.get();
        pool.shutdown();
    }

    @Test
    void nobodyWaitsLongerThanTheDeadline() {
        List<SparkTransport> transports = connected(2, false, Duration.ofMillis(300));
        var error =
                assertThrows(TransportException.class, () -> transports.get(0).receive(1, ByteBuffer.allocate(1)));
        assertTrue(error.getMessage().equals("Rank 1 has sent nothing for PT0.3S"), error::getMessage);
        for (int i = 0; i < Transport.WINDOW; i++) {
            transports.get(0).send(1, ByteBuffer.allocate(1));
        }
        error = assertThrows(TransportException.class, () -> transports.get(0).send(1, ByteBuffer.allocate(1)));
        assertTrue(error.getMessage().equals("Rank 1 has not received messages for PT0.3S"), error::getMessage);
    }
}
