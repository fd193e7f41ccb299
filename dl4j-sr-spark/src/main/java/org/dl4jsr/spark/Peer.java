package org.dl4jsr.spark;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.dl4jsr.parallel.Transport;
import org.dl4jsr.parallel.TransportException;

/** Another rank, as one rank knows it: what it has sent and what may still be sent to it. */
final class Peer {

    private static final int SMALLEST = 4096;

    /** A message that has come, and to whom to say that it has been received. */
    private record Arrival(ByteBuffer message, TransportClient sender) {}

    private final int rank;
    private final Duration deadline;
    private final ArrayDeque<Arrival> arrived = new ArrayDeque<>();
    /** Memory for the next messages in and out. */
    private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
    /** The receiver reads it. */
    private ByteBuffer taken;

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

    void send(ByteBuffer head, ByteBuffer body) {
        int length = head.remaining() + body.remaining();
        ByteBuffer copy;
        TransportClient connected;
        synchronized (this) {
            long end = System.nanoTime() + deadline.toNanos();
            while (underWay >= Transport.WINDOW && failure == null) {
                await(end, "Rank " + rank + " has not received messages for " + deadline);
            }
            requireWell();
            underWay++;
            copy = memory(length);
            connected = client;
        }
        copy.put(head).put(body).flip();
        ByteBuffer announcement = ByteBuffer.allocate(Integer.BYTES).putInt(0, length);
        connected.uploadStream(
                new NioManagedBuffer(announcement), new NioManagedBuffer(copy), new RpcResponseCallback() {
                    @Override
                    public void onSuccess(ByteBuffer response) {
                        giveBack(copy);
                    }

                    @Override
                    public void onFailure(Throwable e) {
                        fail("Rank " + rank + " has left: " + e.getMessage());
                    }
                });
    }

    /** Memory for a message of so many bytes, to be given back. */
    synchronized ByteBuffer memory(int length) {
        ByteBuffer memory = spare.poll();
        if (memory == null || memory.capacity() < length) {
            memory = ByteBuffer.allocateDirect(Math.max(length, SMALLEST));
        }
        return memory.clear().limit(length);
    }

    private synchronized void giveBack(ByteBuffer memory) {
        spare.push(memory);
    }

    /** The rank says that it has received the oldest of the messages under way. */
    synchronized void received() {
        underWay--;
        notifyAll();
    }

    /** Takes a message that has come from the rank, in {@link #memory}; {@code sender} is who has sent it. */
    synchronized void arrive(ByteBuffer message, TransportClient sender) {
        arrived.add(new Arrival(message, sender));
        notifyAll();
    }

    ByteBuffer receive() {
        Arrival arrival;
        synchronized (this) {
            if (taken != null) {
                spare.push(taken);
                taken = null;
            }
            long end = System.nanoTime() + deadline.toNanos();
            while (arrived.isEmpty() && failure == null) {
                await(end, "Rank " + rank + " has sent nothing for " + deadline);
            }
            if (arrived.isEmpty()) {
                requireWell();
            }
            arrival = arrived.remove();
            taken = arrival.message;
        }
        arrival.sender.send(ByteBuffer.allocate(0));
        return arrival.message;
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
