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
     * Sends a message to another rank: the remaining bytes of {@code head} and, behind them, of {@code body}. Waits while
     * {@link #WINDOW} messages to it have not been received.
     *
     * @param to another rank
     * @param head direct or on the heap; the caller's again on return, and so is the body
     * @param body of at most {@link #LARGEST_MESSAGE} bytes together with the head
     * @throws TransportException if the message cannot be delivered, or the receiver is not ready before the deadline
     */
    void send(int to, ByteBuffer head, ByteBuffer body);

    /**
     * Waits for the next message of another rank.
     *
     * @param from another rank
     * @return the message, from the position to the limit of direct memory; the transport's again at the next call for
     *     this rank
     * @throws TransportException if the rank has left, or nothing comes before the deadline
     */
    ByteBuffer receive(int from);

    /**
     * Leaves. The peers still receive what has been sent, and then fail; calls that wait in other threads fail at once.
     * Another call does nothing.
     */
    @Override
    void close();
}
