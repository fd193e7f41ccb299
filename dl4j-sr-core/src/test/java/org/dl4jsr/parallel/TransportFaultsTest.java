package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What a bad transport does to messages is found out before any of it is used. */
@Timeout(60)
class TransportFaultsTest {

    private static final int LENGTH = 1_300_000; // BF16: two pieces a slice
    private static final int BLOCK = 4096;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** Sends what {@code change} makes of each of rank 0's messages. */
    private record Faulty(Transport transport, Function<ByteBuffer, List<ByteBuffer>> change) implements Transport {

        @Override
        public int rank() {
            return transport.rank();
        }

        @Override
        public int ranks() {
            return transport.ranks();
        }

        @Override
        public void send(int to, ByteBuffer head, ByteBuffer body) {
            ByteBuffer copy = ByteBuffer.allocate(head.remaining() + body.remaining());
            copy.put(head).put(body).flip();
            change.apply(copy).forEach(changed -> transport.send(to, changed, NOTHING));
        }

        @Override
        public ByteBuffer receive(int from) {
            return transport.receive(from);
        }

        @Override
        public void close() {
            transport.close();
        }
    }

    /** Rank 0 owns the first half and gives it to rank 1; returns what rank 1 has then. */
    private static INDArray exchange(Function<ByteBuffer, List<ByteBuffer>> change) throws Exception {
        List<Transport> transports = new ArrayList<>(LocalTransport.of(2, Duration.ofSeconds(20)));
        transports.set(0, new Faulty(transports.get(0), change));
        return exchange(transports);
    }

    private static INDArray exchange(List<Transport> transports) throws Exception {
        INDArray received = Nd4j.zeros(DataType.BFLOAT16, LENGTH);
        try {
            Ranks.run(transports, collective -> {
                INDArray array = collective.rank() == 0 ? Nd4j.ones(DataType.BFLOAT16, LENGTH) : received;
                collective.setStep(3);
                collective.fromOwners(array, Slices.of(LENGTH, 2, BLOCK));
                return null;
            });
        } catch (Exception e) {
            throw new Failed(received, e);
        }
        return received;
    }

    /** What rank 1 had when it failed. */
    private static final class Failed extends Exception {

        private static final long serialVersionUID = 1;

        private final transient INDArray received;

        Failed(INDArray received, Exception cause) {
            super(cause);
            this.received = received;
        }
    }

    private static double sum(INDArray array) {
        return array.castTo(DataType.FLOAT).sumNumber().doubleValue();
    }

    @Test
    void intactMessagesArrive() throws Exception {
        long half = Slices.of(LENGTH, 2, BLOCK).length(0);
        assertEquals(half, sum(exchange(List::of)));
    }

    /** In the header, in its checksum, and in the array. */
    @ParameterizedTest
    @ValueSource(ints = {0, 9, 18, 21, 25, 33, 37, 41, 64, 5_000, 500_000})
    void aFlippedBitIsFoundOut(int position) {
        var failed = assertThrows(
                Failed.class,
                () -> exchange(message -> {
                    if (position < message.limit()) {
                        message.put(position, (byte) (message.get(position) ^ 4));
                    }
                    return List.of(message);
                }));
        assertTrue(failed.getCause() instanceof TransportException, () -> "" + failed.getCause());
        assertEquals(0, sum(failed.received));
    }

    @Test
    void aCutMessageIsFoundOut() {
        var failed = assertThrows(Failed.class, () -> exchange(message -> List.of(message.limit(message.limit() - 1))));
        assertEquals(0, sum(failed.received));
    }

    @Test
    void messagesOutOfOrderAreFoundOut() {
        List<ByteBuffer> held = new ArrayList<>();
        var failed = assertThrows(
                Failed.class,
                () -> exchange(message -> {
                    held.add(message);
                    if (held.size() < 2) {
                        return List.of();
                    }
                    List<ByteBuffer> reversed = new ArrayList<>(held);
                    Collections.reverse(reversed);
                    return reversed;
                }));
        assertTrue(failed.getCause() instanceof TransportException, () -> "" + failed.getCause());
    }

    /** Of another step, another attempt. */
    @Test
    void staleMessagesAreFoundOut() throws Exception {
        List<Transport> transports = LocalTransport.of(2, Duration.ofSeconds(20));
        var old = new Message();
        for (var place : List.of(
                new Message.Place(7, 2, 0, Message.Kind.NUMBERS, 0, 8),
                new Message.Place(6, 3, 0, Message.Kind.NUMBERS, 0, 8),
                new Message.Place(7, 3, 1, Message.Kind.NUMBERS, 0, 8))) {
            ByteBuffer body = ByteBuffer.allocate(8);
            transports.get(0).send(1, old.header(place, body), body);
            ByteBuffer received = transports.get(1).receive(0);
            var error = assertThrows(
                    TransportException.class,
                    () -> Message.body(received, new Message.Place(7, 3, 0, Message.Kind.NUMBERS, 0, 8), 0));
            assertTrue(error.getMessage().contains("stale or out of order"), error::getMessage);
        }
    }

    @Test
    void aRankThatLeavesEndsTheOthers() throws Exception {
        List<TransportException> errors = Ranks.run(
                3,
                collective -> collective.rank() == 2
                        ? null
                        : assertThrows(TransportException.class, () -> collective.gather(1)));
        // rank 0 hears of the one or the other first
        assertTrue(errors.get(0).getMessage().matches(".*Rank [12] has left"), errors.get(0)::getMessage);
        assertTrue(errors.get(1).getMessage().contains("Rank 2 has left"), errors.get(1)::getMessage);
    }

    @Test
    void nobodyWaitsLongerThanTheDeadline() {
        List<Transport> transports = LocalTransport.of(2, Duration.ofMillis(50));
        assertEquals(
                "Rank 1 has sent nothing to rank 0 for PT0.05S",
                assertThrows(TransportException.class, () -> transports.get(0).receive(1))
                        .getMessage());
        for (int i = 0; i < Transport.WINDOW; i++) {
            transports.get(0).send(1, NOTHING, NOTHING);
        }
        assertEquals(
                "Rank 1 has not received messages of rank 0 for PT0.05S",
                assertThrows(TransportException.class, () -> transports.get(0).send(1, NOTHING, NOTHING))
                        .getMessage());
    }
}
