package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Ranks that are threads of one process. */
public final class LocalTransport implements Transport {

    private final int rank;
    private final Duration deadline;
    /** {@code channels.get(from).get(to)}; all ranks' have the same. */
    private final List<List<Channel>> channels;

    private LocalTransport(int rank, Duration deadline, List<List<Channel>> channels) {
        this.rank = rank;
        this.deadline = deadline;
        this.channels = channels;
    }

    /**
     * The transports of so many ranks.
     *
     * @param ranks 1 or more
     * @param deadline how long a rank waits for another
     */
    public static List<Transport> of(int ranks, Duration deadline) {
        if (ranks < 1) {
            throw new IllegalArgumentException("ranks is " + ranks + ", expected 1 or more");
        }
        List<List<Channel>> channels = IntStream.range(0, ranks)
                .mapToObj(from -> IntStream.range(0, ranks)
                        .mapToObj(to -> new Channel(from, to))
                        .toList())
                .toList();
        var transports = new ArrayList<Transport>();
        for (int rank = 0; rank < ranks; rank++) {
            transports.add(new LocalTransport(rank, deadline, channels));
        }
        return transports;
    }

    /** That of a single rank, which has nobody to wait for. */
    public static Transport alone() {
        return of(1, Duration.ZERO).get(0);
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int ranks() {
        return channels.size();
    }

    @Override
    public void send(int to, ByteBuffer head, ByteBuffer body) {
        channels.get(rank).get(to).put(head, body, deadline);
    }

    @Override
    public ByteBuffer receive(int from) {
        return channels.get(from).get(rank).take(deadline);
    }

    @Override
    public void close() {
        for (int peer = 0; peer < ranks(); peer++) {
            channels.get(rank).get(peer).closeSender();
            channels.get(peer).get(rank).closeReceiver();
        }
    }

    /** The messages from one rank to another. */
    private static final class Channel {

        private final int from;
        private final int to;
        private final ArrayDeque<ByteBuffer> sent = new ArrayDeque<>();
        /** For the next messages. */
        private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
        /** The receiver reads it. */
        private ByteBuffer taken;

        private boolean senderLeft;
        private boolean receiverLeft;

        Channel(int from, int to) {
            this.from = from;
            this.to = to;
        }

        synchronized void put(ByteBuffer head, ByteBuffer body, Duration deadline) {
            long end = System.nanoTime() + deadline.toNanos();
            while (sent.size() >= WINDOW && !receiverLeft && !senderLeft) {
                await(end, "Rank " + to + " has not received messages of rank " + from + " for " + deadline);
            }
            if (senderLeft || receiverLeft) {
                throw new TransportException("Rank " + (receiverLeft ? to : from) + " has left");
            }
            ByteBuffer copy = spare.isEmpty() ? null : spare.pop();
            int length = head.remaining() + body.remaining();
            if (copy == null || copy.capacity() < length) {
                copy = ByteBuffer.allocateDirect(length);
            }
            sent.add(copy.clear().put(head).put(body).flip());
            notifyAll();
        }

        synchronized ByteBuffer take(Duration deadline) {
            if (taken != null) {
                spare.push(taken);
                taken = null;
            }
            long end = System.nanoTime() + deadline.toNanos();
            while (sent.isEmpty() && !senderLeft && !receiverLeft) {
                await(end, "Rank " + from + " has sent nothing to rank " + to + " for " + deadline);
            }
            if (receiverLeft || sent.isEmpty()) {
                throw new TransportException("Rank " + (receiverLeft ? to : from) + " has left");
            }
            taken = sent.remove();
            notifyAll();
            return taken;
        }

        @SuppressWarnings("WaitNotInLoop") // the callers' loops
        private void await(long end, String failure) {
            long milliseconds = (end - System.nanoTime()) / 1_000_000;
            if (milliseconds <= 0) {
                throw new TransportException(failure);
            }
            try {
                wait(milliseconds);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new TransportException("Interrupted between ranks " + from + " and " + to, e);
            }
        }

        synchronized void closeSender() {
            senderLeft = true;
            notifyAll();
        }

        synchronized void closeReceiver() {
            receiverLeft = true;
            notifyAll();
        }
    }
}
