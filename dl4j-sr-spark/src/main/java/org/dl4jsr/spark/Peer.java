package org.dl4jsr.spark;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.dl4jsr.parallel.Transport;
import org.dl4jsr.parallel.TransportException;

/** Another rank, as one rank knows it: what it has sent and what may still be sent to it. */
final class Peer {

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    /** A message that has come, and by which its sender hears that it has been received. */
    private record Arrival(ByteBuffer message, RpcResponseCallback sender) {}

    private final int rank;
    private final Duration deadline;
    private final ArrayDeque<Arrival> arrived = new ArrayDeque<>();
    /** Memory for the next messages in and out. */
    private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();

    private TransportClient client;
    private int underWay;
    private String failure;

    Peer(int rank, Duration deadline) {
        this.rank = rank;
        this.deadline = deadline;
    }

    synchronized void connect(TransportClient connected) {
        client = connected;
    }

    void send(ByteBuffer message) {
        ByteBuffer copy;
        TransportClient connected;
        synchronized (this) {
            long end = System.nanoTime() + deadline.toNanos();
            while (underWay >= Transport.WINDOW && failure == null) {
                await(end, "Rank " + rank + " has not received messages for " + deadline);
            }
            requireWell();
            underWay++;
            copy = copy(message);
            connected = client;
        }
        connected.sendRpc(copy.duplicate(), new RpcResponseCallback() {
            @Override
            public void onSuccess(ByteBuffer response) {
                received(copy);
            }

            @Override
            public void onFailure(Throwable e) {
                fail("Rank " + rank + " has left: " + e.getMessage());
            }
        });
    }

    private ByteBuffer copy(ByteBuffer message) {
        ByteBuffer memory = spare.poll();
        if (memory == null || memory.capacity() < message.remaining()) {
            memory = ByteBuffer.allocateDirect(Math.max(message.remaining(), 4096));
        }
        return memory.clear().put(message).flip();
    }

    private synchronized void received(ByteBuffer copy) {
        underWay--;
        spare.push(copy);
        notifyAll();
    }

    /** Takes a message that has come from the rank; {@code message} is the caller's again on return. */
    synchronized void arrive(ByteBuffer message, RpcResponseCallback sender) {
        arrived.add(new Arrival(copy(message), sender));
        notifyAll();
    }

    synchronized void receive(ByteBuffer target) {
        long end = System.nanoTime() + deadline.toNanos();
        while (arrived.isEmpty() && failure == null) {
            await(end, "Rank " + rank + " has sent nothing for " + deadline);
        }
        if (arrived.isEmpty()) {
            requireWell();
        }
        Arrival arrival = arrived.remove();
        if (arrival.message.remaining() > target.remaining()) {
            throw new TransportException("A message of " + arrival.message.remaining() + " bytes from rank " + rank
                    + ", expected at most " + target.remaining());
        }
        target.put(arrival.message);
        spare.push(arrival.message);
        arrival.sender.onSuccess(NOTHING);
    }

    private void requireWell() {
        if (failure != null) {
            throw new TransportException(failure);
        }
    }

    @SuppressWarnings("WaitNotInLoop") // the callers' loops
    private void await(long end, String tooLate) {
        long milliseconds = (end - System.nanoTime()) / 1_000_000;
        if (milliseconds <= 0) {
            throw new TransportException(tooLate);
        }
        try {
            wait(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException("Interrupted while waiting for rank " + rank, e);
        }
    }

    /** Says why the rank can neither send nor receive any more; what has come from it can still be read. */
    synchronized void fail(String why) {
        failure = failure == null ? why : failure;
        notifyAll();
    }

    /** Waits until the rank has received all, but not beyond {@code end} of System.nanoTime. */
    synchronized void flush(long end) {
        while (underWay > 0 && failure == null && System.nanoTime() < end) {
            try {
                wait(Math.max(1, (end - System.nanoTime()) / 1_000_000));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }
}
