package org.dl4jsr.spark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.dl4jsr.parallel.Observer;

/** The driver's port for what the ranks of one attempt say to the {@link Observer}; it takes nobody without their key. */
final class NotePort implements AutoCloseable {

    private final TransportContext context;
    private final TransportServer server;
    private final String host;

    NotePort(String host, AttemptKey key, boolean encrypted, Observer observer) {
        this.host = host;
        var configuration = RankNetwork.configuration(encrypted, 1, RankNetwork.IDLE);
        context = new TransportContext(configuration, new Receiver(observer));
        server = context.createServer(host, 0, List.of(new AuthServerBootstrap(configuration, key)));
    }

    /** host:port. */
    String address() {
        return host + ":" + server.getPort();
    }

    @Override
    public void close() {
        server.close();
        context.close();
    }

    private static final class Receiver extends RpcHandler {

        private final StreamManager streams = new OneForOneStreamManager();
        private final Observer observer;

        Receiver(Observer observer) {
            this.observer = observer;
        }

        @Override
        public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback sender) {
            boolean stop;
            synchronized (observer) {
                observer.note(StandardCharsets.UTF_8.decode(message).toString());
                stop = observer.isStopWanted();
            }
            sender.onSuccess(ByteBuffer.wrap(new byte[] {(byte) (stop ? 1 : 0)}));
        }

        @Override
        public StreamManager getStreamManager() {
            return streams;
        }
    }
}
