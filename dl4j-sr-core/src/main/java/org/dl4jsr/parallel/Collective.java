package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.op.Device;
import org.dl4jsr.parallel.WholeState.Part;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What all ranks of one training do together, over any {@link Transport}: each calls the same methods in the same order.
 * One thread at a time uses it. After a {@link TransportException} it is of no more use: what has been received until
 * then is intact, but not whole.
 */
public final class Collective implements AutoCloseable {

    /** Takes a piece of an array of some rank. */
    interface Pieces {

        /**
         * @param from the rank
         * @param start first element in the array
         * @param address of that element
         * @param length elements
         */
        void take(int from, long start, long address, long length);
    }

    /** How many pieces of the gradient are sent before the mean of the first: what comes back has time to be added. */
    private static final int AHEAD = 2;

    private final Transport transport;
    private final long attempt;
    private final Device device;
    private final Message outgoing = new Message();
    private final ExecutorService sender;
    private long step;
    private int operation;
    private long bytesSent;
    private long nanoseconds;

    /**
     * Over {@code transport}, which it closes.
     *
     * @param attempt a number that tells messages of this attempt at the training from those of another
     */
    public Collective(Transport transport, long attempt) {
        device = Bf16Executioner.requiredBy("Data-parallel training");
        this.transport = transport;
        this.attempt = attempt;
        sender = Executors.newSingleThreadExecutor(work -> {
            var thread = new Thread(work, "rank " + transport.rank() + " sends");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** This rank, from 0. */
    public int rank() {
        return transport.rank();
    }

    /** How many ranks there are. */
    public int ranks() {
        return transport.ranks();
    }

    /** Bytes of arrays that this rank has sent so far, without headers. */
    long bytesSent() {
        return bytesSent;
    }

    /**
     * Nanoseconds that this rank has spent with the others so far: sending, receiving, waiting for them, and adding what
     * came.
     */
    public long nanoseconds() {
        return nanoseconds;
    }

    Device device() {
        return device;
    }

    /** Says that what follows belongs to this step of the training. */
    void setStep(long step) {
        this.step = step;
    }

    /**
     * Tells all ranks some numbers.
     *
     * @return those of each rank, [ranks, values]
     */
    public long[][] gather(long... values) {
        var all = new long[ranks()][];
        int bytes = Math.multiplyExact(Long.BYTES, values.length);
        all[rank()] = values.clone();
        run(
                () -> {
                    ByteBuffer body = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
                    body.asLongBuffer().put(values);
                    ByteBuffer header = outgoing.header(place(Message.Kind.NUMBERS, 0, bytes), body);
                    others().forEach(to -> transport.send(to, header.duplicate(), body.duplicate()));
                },
                () -> {
                    for (int from : others()) {
                        ByteBuffer body = receive(from, place(Message.Kind.NUMBERS, 0, bytes));
                        all[from] = new long[values.length];
                        body.asLongBuffer().get(all[from]);
                    }
                });
        return all;
    }

    /** Waits until all ranks have come so far. */
    public void barrier() {
        gather();
    }

    /**
     * Brings every rank's array to the slices' owners: this rank takes its own slice of the array of each sender, all
     * of one piece in the order of ranks before the next piece.
     *
     * @param array flat and dense; of one length and type on all ranks
     * @param senders ranks below this have something; the array of another is not looked at
     */
    void toOwners(INDArray array, Slices slices, int senders, Pieces pieces) {
        if (isAlone(array)) {
            takeWhole(array, pieces);
            return;
        }
        long base = device.hostAddress(array);
        int width = array.dataType().width();
        int atOnce = Message.BODY / width;
        run(
                () -> {
                    for (long offset = 0; rank() < senders && offset < slices.longest(); offset += atOnce) {
                        sendToOwners(base, width, slices, offset);
                    }
                },
                () -> {
                    for (long offset = 0; offset < slices.length(rank()); offset += atOnce) {
                        takeOwn(base, width, slices, senders, offset, pieces);
                    }
                });
    }

    /**
     * Brings each rank's own slice of the array to all others.
     *
     * @param array flat and dense; of one length and type on all ranks
     */
    void fromOwners(INDArray array, Slices slices) {
        if (ranks() == 1) {
            return;
        }
        long base = device.hostAddress(array);
        int width = array.dataType().width();
        int atOnce = Message.BODY / width;
        run(
                () -> {
                    for (long offset = 0; offset < slices.length(rank()); offset += atOnce) {
                        sendFromOwner(base, width, slices, offset);
                    }
                },
                () -> {
                    for (long offset = 0; offset < slices.longest(); offset += atOnce) {
                        receiveFromOwners(base, width, slices, offset);
                    }
                });
        device.written(List.of(array));
    }

    /**
     * {@link #toOwners} and {@link #fromOwners} at once: a piece of the own slice goes to all as soon as it is there from
     * each sender, while the next ones are on their way, so that the network is never idle between the two.
     *
     * @param array flat and dense; of one length and type on all ranks
     * @param senders ranks below this have something; the array of another is not looked at
     * @param pieces puts what goes to all in the place of this rank's slice of {@code array}
     */
    void throughOwners(INDArray array, Slices slices, int senders, Pieces pieces) {
        if (isAlone(array)) {
            takeWhole(array, pieces);
            return;
        }
        long base = device.hostAddress(array);
        int width = array.dataType().width();
        int atOnce = Message.BODY / width;
        long behind = (long) AHEAD * atOnce;
        var ready = new Semaphore(0);
        run(
                () -> {
                    for (long offset = 0; offset < slices.longest() + behind; offset += atOnce) {
                        if (rank() < senders) {
                            sendToOwners(base, width, slices, offset);
                        }
                        if (offset >= behind && offset - behind < slices.length(rank())) {
                            acquire(ready);
                            sendFromOwner(base, width, slices, offset - behind);
                        }
                    }
                },
                () -> {
                    for (long offset = 0; offset < slices.longest() + behind; offset += atOnce) {
                        if (offset < slices.length(rank())) {
                            takeOwn(base, width, slices, senders, offset, pieces);
                            device.hostAddress(array); // what the kernels have put there is there
                            ready.release();
                        }
                        if (offset >= behind) {
                            receiveFromOwners(base, width, slices, offset - behind);
                        }
                    }
                });
        device.written(List.of(array));
    }

    /** Whether nobody else sends something, and kernels can add the array. */
    private boolean isAlone(INDArray array) {
        return ranks() == 1 && array.dataType() != DataType.DOUBLE;
    }

    /** The one rank's own array, in one piece, for which a GPU need not be waited for. */
    private void takeWhole(INDArray array, Pieces pieces) {
        pieces.take(0, 0, device.address(array), array.length());
        device.written(List.of(array));
    }

    /**
     * Brings parts of a whole to the first rank, one behind the other.
     *
     * @param parts the same on all ranks, but for the addresses
     * @param pieces takes their bytes there, some at a time
     */
    void toFirst(List<Part> parts, Consumer<ByteBuffer> pieces) {
        run(
                () -> parts.stream()
                        .filter(part -> part.rank() == rank() && rank() > 0)
                        .forEach(this::sendToFirst),
                () -> parts.stream().filter(part -> rank() == 0).forEach(part -> takeFirst(part, pieces)));
    }

    private void sendToFirst(Part part) {
        for (long offset = 0; offset < part.length(); offset += Message.BODY) {
            send(Message.Kind.TO_FIRST, 0, part.address() + offset, part.start() + offset, part.pieceLength(offset));
        }
    }

    private void takeFirst(Part part, Consumer<ByteBuffer> pieces) {
        for (long offset = 0; offset < part.length(); offset += Message.BODY) {
            int bytes = part.pieceLength(offset);
            pieces.accept(
                    part.rank() == 0
                            ? ArrayBytes.at(part.address() + offset, bytes)
                            : receive(part.rank(), place(Message.Kind.TO_FIRST, part.start() + offset, bytes)));
        }
    }

    private static void acquire(Semaphore ready) {
        try {
            ready.acquire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException("Interrupted before all pieces were there", e);
        }
    }

    /** Sends each other rank the piece of its slice at {@code offset}. */
    private void sendToOwners(long base, int width, Slices slices, long offset) {
        for (int to : others()) {
            send(Message.Kind.TO_OWNER, to, base, width, slices, to, offset);
        }
    }

    /** Sends all other ranks the piece of the own slice at {@code offset}. */
    private void sendFromOwner(long base, int width, Slices slices, long offset) {
        for (int to : others()) {
            send(Message.Kind.FROM_OWNER, to, base, width, slices, rank(), offset);
        }
    }

    /** Takes the piece of the own slice at {@code offset} from each sender. */
    private void takeOwn(long base, int width, Slices slices, int senders, long offset, Pieces pieces) {
        long start = slices.start(rank()) + offset;
        long length = Math.min(Message.BODY / width, slices.end(rank()) - start);
        for (int from = 0; from < senders; from++) {
            if (from == rank()) {
                pieces.take(from, start, base + start * width, length);
            } else {
                ByteBuffer body = receive(from, place(Message.Kind.TO_OWNER, start * width, (int) (length * width)));
                pieces.take(from, start, ArrayBytes.address(body), length);
            }
        }
    }

    /** Puts the pieces of the other ranks' slices at {@code offset} in their place. */
    private void receiveFromOwners(long base, int width, Slices slices, long offset) {
        for (int from : others()) {
            long start = slices.start(from) + offset;
            long length = Math.min(Message.BODY / width, slices.end(from) - start);
            if (length > 0) {
                int bytes = (int) (length * width);
                ByteBuffer body = receive(from, place(Message.Kind.FROM_OWNER, start * width, bytes));
                Memory.copy(ArrayBytes.address(body), base + start * width, bytes);
            }
        }
    }

    /** Sends a piece of a rank's slice, if there is one at {@code offset}. */
    private void send(Message.Kind kind, int to, long base, int width, Slices slices, int owner, long offset) {
        long start = slices.start(owner) + offset;
        long length = Math.min(Message.BODY / width, slices.end(owner) - start);
        if (length > 0) {
            send(kind, to, base + start * width, start * width, (int) (length * width));
        }
    }

    private void send(Message.Kind kind, int to, long address, long start, int bytes) {
        ByteBuffer body = ArrayBytes.at(address, bytes);
        transport.send(to, outgoing.header(place(kind, start, bytes), body), body);
        bytesSent += bytes;
    }

    private ByteBuffer receive(int from, Message.Place place) {
        return Message.body(transport.receive(from), place, from);
    }

    private Message.Place place(Message.Kind kind, long start, int bytes) {
        return new Message.Place(attempt, step, operation, kind, start, bytes);
    }

    /** The other ranks, the next one first, so that not all send to the same. */
    private List<Integer> others() {
        var others = new ArrayList<Integer>();
        for (int i = 1; i < ranks(); i++) {
            others.add((rank() + i) % ranks());
        }
        return others;
    }

    /** Sends and receives at the same time, since a sender may have to wait for a receiver. */
    private void run(Runnable sending, Runnable receiving) {
        if (ranks() == 1) {
            receiving.run();
            return;
        }
        long start = System.nanoTime();
        Future<?> sent = sender.submit(sending);
        try {
            receiving.run();
            sent.get();
            nanoseconds += System.nanoTime() - start;
        } catch (ExecutionException e) {
            close();
            throw new TransportException(
                    "Sending at step " + step + " has failed: " + e.getCause().getMessage(), e);
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new TransportException("Interrupted at step " + step, e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
        operation++;
    }

    /** Leaves: the other ranks cannot go on without this one. */
    @Override
    public void close() {
        transport.close();
        sender.shutdownNow();
    }
}
