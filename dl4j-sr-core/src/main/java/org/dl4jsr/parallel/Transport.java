package org.dl4jsr.parallel;

import java.nio.ByteBuffer;

/**
 * Moves messages between the ranks of one attempt at a training, each of which has a transport of its own. A message is
 * some bytes; what they mean and whether they are intact is {@link Collective}'s affair.
 *
 * <p>Messages from one rank to another arrive once and in the order in which they were sent. One thread may send while
 * another receives. Whatever fails, a peer's end included, fails every later call with a {@link TransportException}
 * that names the peer, and nothing waits longer than the deadline that the transport was made with.
 */
public interface Transport extends AutoCloseable {

    /** Bytes of the largest message. */
    int LARGEST_MESSAGE = (1 << 20) + 4096;

    /** Messages from one rank to another that may be sent and not yet received; one more waits. */
    int WINDOW = 4;

    /** This rank, from 0. */
    int rank();

    /** How many ranks there are. */
    int ranks();

    /**
     * Sends the remaining bytes of {@code message} to another rank. Waits while {@link #WINDOW} messages to it have not
     * been received.
     *
     * @param to another rank
     * @param message at most {@link #LARGEST_MESSAGE} bytes, direct or on the heap; the caller's again on return
     * @throws TransportException if the message cannot be delivered, or the receiver is not ready before the deadline
     */
    void send(int to, ByteBuffer message);

    /**
     * Waits for the next message of another rank and puts it into {@code target}, from its position, which is behind the
     * message then.
     *
     * @param from another rank
     * @throws TransportException if the rank has left, nothing comes before the deadline, or the message is larger than
     *         what remains of {@code target}
     */
    void receive(int from, ByteBuffer target);

    /**
     * Leaves. The peers still receive what has been sent, and then fail; calls that wait in other threads fail at once.
     * Another call does nothing.
     */
    @Override
    void close();
}
