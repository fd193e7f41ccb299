package org.dl4jsr.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.server.NoOpRpcHandler;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.parallel.TransportException;

/** Sends what a rank says to the driver's {@link NotePort}; connects with the first of it. */
final class NoteClient implements Rank.Notes, AutoCloseable {

    private final String address;
    private final Duration deadline;
    private final TransportContext context;
    private final TransportClientFactory clients;

    NoteClient(String address, AttemptKey key, boolean encrypted, Duration deadline) {
        this.address = address;
        this.deadline = deadline;
        var configuration = RankNetwork.configuration(encrypted, 1, RankNetwork.IDLE);
        context = new TransportContext(configuration, new NoOpRpcHandler());
        clients = context.createClientFactory(List.of(new AuthClientBootstrap(configuration, key.application(), key)));
    }

    @Override
    public boolean send(String text) {
        return send(NotePort.Kind.NOTE, text);
    }

    /** Says that the rank's program has failed, so that the attempt need not be repeated. */
    void fail(String message) {
        send(NotePort.Kind.FAILURE, message);
    }

    /**
     * Says where this rank can be reached; returns where all ranks can be, in their order, once each has said it.
     *
     * @param address host:port
     */
    List<String> meet(int rank, String address) {
        ByteBuffer answer = ask(NotePort.Kind.ADDRESS, rank + " " + address);
        return List.of(StandardCharsets.UTF_8.decode(answer).toString().split(" ", -1));
    }

    private boolean send(NotePort.Kind kind, String text) {
        return ask(kind, text).get() != 0;
    }

    private ByteBuffer ask(NotePort.Kind kind, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer message = ByteBuffer.allocate(1 + bytes.length)
                .put((byte) kind.ordinal())
                .put(bytes)
                .flip();
        int colon = address.lastIndexOf(':');
        try {
            TransportClient client =
                    clients.createClient(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
            return client.sendRpcSync(message, deadline.toMillis());
        } catch (IOException | RuntimeException e) {
            throw new TransportException("The driver at " + address + " does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException("Interrupted while speaking to the driver", e);
        }
    }

    @Override
    public void close() {
        clients.close();
        context.close();
    }
}
