package org.dl4jsr.spark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.dl4jsr.parallel.Observer;

/**
 * The driver's port for what the ranks of one attempt say: where the others can reach them, which Spark's own barrier
 * tells a second later; to the {@link Observer}; and of their end, since of the exceptions of a stage Spark tells the
 * first one alone, which is another rank's that was left behind as often as not. It takes nobody without their key.
 */
final class NotePort implements AutoCloseable {

    /** The first byte of a message. */
    enum Kind {
        ADDRESS,
        NOTE,
        FAILURE
    }

    private final TransportContext context;
    private final TransportServer server;
    private final String host;
    private final Addresses addresses;
    private final Set<TransportClient> connected = ConcurrentHashMap.newKeySet();
    private final AtomicReference<String> failure = new AtomicReference<>();
    private volatile boolean closed;

    /**
     * @param host the driver's
     * @param ranks of the attempt
     * @param encrypted whether all that is sent is encrypted, by AES-GCM
     */
    NotePort(String host, int ranks, AttemptKey key, boolean encrypted, Observer observer) {
        this.host = host;
        addresses = new Addresses(ranks);
        var configuration = RankNetwork.configuration(encrypted, 1, RankNetwork.IDLE);
        context = new TransportContext(configuration, new Receiver(observer));
        server = context.createServer(host, 0, List.of(new AuthServerBootstrap(configuration, key)));
    }

    /** host:port. */
    String address() {
        return host + ":" + server.getPort();
    }

    /** What the first rank said whose program has failed, if one has. */
    Optional<String> failure() {
        return Optional.ofNullable(failure.get());
    }

    /** Hears nobody any more: the connections end, too, which the server alone would leave open for a while. */
    @Override
    public void close() {
        closed = true;
        server.close();
        connected.forEach(TransportClient::close);
        context.close();
    }

    private final class Receiver extends RpcHandler {

        private final StreamManager streams = new OneForOneStreamManager();
        private final Observer observer;

        Receiver(Observer observer) {
            this.observer = observer;
        }

        @Override
        public void channelActive(TransportClient client) {
            connected.add(client);
            if (closed) {
                client.close();
            }
        }

        @Override
        public void channelInactive(TransportClient client) {
            connected.remove(client);
        }

        @Override
        public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback sender) {
            Kind kind = Kind.values()[message.get()];
            String text = StandardCharsets.UTF_8.decode(message).toString();
            switch (kind) {
                case ADDRESS -> addresses.add(text, sender);
                case NOTE -> answer(sender, () -> observer.note(text));
                case FAILURE -> answer(sender, () -> failure.compareAndSet(null, text));
            }
        }

        private void answer(RpcResponseCallback sender, Runnable hear) {
            boolean stop;
            synchronized (observer) {
                hear.run();
                stop = observer.isStopWanted();
            }
            sender.onSuccess(ByteBuffer.wrap(new byte[] {(byte) (stop ? 1 : 0)}));
        }

        @Override
        public StreamManager getStreamManager() {
            return streams;
        }
    }

    /** Where each rank can be reached: told to all of them once the last one has said it. */
    private static final class Addresses {

        private final String[] ofRanks;
        private final List<RpcResponseCallback> waiting = new ArrayList<>();

        Addresses(int ranks) {
            ofRanks = new String[ranks];
        }

        /** @param text the rank, a space, and its address */
        synchronized void add(String text, RpcResponseCallback sender) {
            int space = text.indexOf(' ');
            ofRanks[Integer.parseInt(text.substring(0, space))] = text.substring(space + 1);
            waiting.add(sender);
            if (waiting.size() == ofRanks.length) {
                byte[] all = String.join(" ", ofRanks).getBytes(StandardCharsets.UTF_8);
                waiting.forEach(rank -> rank.onSuccess(ByteBuffer.wrap(all)));
            }
        }
    }
}
