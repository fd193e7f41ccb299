package org.dl4jsr.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.StreamCallbackWithID;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.client.TransportClientFactory;
import org.apache.spark.network.crypto.AuthClientBootstrap;
import org.apache.spark.network.crypto.AuthServerBootstrap;
import org.apache.spark.network.server.OneForOneStreamManager;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.dl4jsr.parallel.Transport;
import org.dl4jsr.parallel.TransportException;

/**
 * Ranks in several processes, over the network library that Spark has for its shuffles. Each rank has a port, which takes
 * nobody who does not have the attempt's key. A message is an upload, which arrives in the memory that it is read from; by a
 * call back its receiver says that it has taken it.
 */
final class SparkTransport implements Transport {

    /** How long a rank that leaves waits for others to receive what it has sent. */
    private static final Duration FLUSH = Duration.ofSeconds(5);

    private final int rank;
    private final Duration deadline;
    private final List<Peer> peers;
    private final TransportContext context;
    private final TransportServer server;
    private final TransportClientFactory clients;
    private final Map<TransportClient, Integer> senders = new ConcurrentHashMap<>();
    private final Map<TransportClient, Peer> receivers = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /**
     * Opens a port; {@link #connect} has to follow.
     *
     * @param host this machine, as the others can reach it
     * @param encrypted whether all that is sent is encrypted, by AES-GCM
     * @param deadline how long a rank waits for another
     */
    SparkTransport(int rank, int ranks, String host, AttemptKey key, boolean encrypted, Duration deadline) {
        this.rank = rank;
        this.deadline = deadline;
        peers = IntStream.range(0, ranks)
                .mapToObj(peer -> new Peer(peer, deadline))
                .toList();
        var configuration = RankNetwork.configuration(
                encrypted, Math.min(4, ranks), deadline.multipliedBy(2).plusSeconds(10));
        context = new TransportContext(configuration, new Receiver());
        server = context.createServer(host, 0, List.of(new AuthServerBootstrap(configuration, key)));
        clients = context.createClientFactory(List.of(new AuthClientBootstrap(configuration, key.application(), key)));
    }

    /** The port that the other ranks have to know. */
    int port() {
        return server.getPort();
    }

    /**
     * Connects to all other ranks.
     *
     * @param addresses host:port of each rank
     */
    void connect(List<String> addresses) {
        for (int peer = 0; peer < ranks(); peer++) {
            if (peer != rank) {
                String address = addresses.get(peer);
                int colon = address.lastIndexOf(':');
                try {
                    TransportClient client = clients.createClient(
                            address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
                    client.send(ByteBuffer.allocate(Integer.BYTES).putInt(0, rank));
                    receivers.put(client, peers.get(peer));
                    peers.get(peer).connect(client);
                } catch (IOException | RuntimeException e) {
                    throw new TransportException("Rank " + rank + " cannot reach rank " + peer + " at " + address, e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new TransportException("Interrupted while connecting to rank " + peer, e);
                }
            }
        }
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int ranks() {
        return peers.size();
    }

    @Override
    public void send(int to, ByteBuffer head, ByteBuffer body) {
        peers.get(to).send(head, body);
    }

    @Override
    public ByteBuffer receive(int from) {
        return peers.get(from).receive();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        long end = System.nanoTime() + (deadline.compareTo(FLUSH) < 0 ? deadline : FLUSH).toNanos();
        peers.forEach(peer -> peer.flush(end));
        peers.forEach(peer -> peer.fail("Rank " + rank + " has left"));
        clients.close();
        server.close();
        context.close();
    }

    /** What comes in. */
    private final class Receiver extends RpcHandler {

        private final StreamManager streams = new OneForOneStreamManager();

        /** A rank says which one it is, or, where this one has sent to it, that it has received a message. */
        @Override
        public void receive(TransportClient client, ByteBuffer message) {
            Peer receiver = receivers.get(client);
            int sender = message.remaining() == Integer.BYTES ? message.getInt() : -1;
            if (receiver != null) {
                receiver.received();
            } else if (sender >= 0 && sender < ranks() && sender != rank) {
                senders.put(client, sender);
            } else {
                client.close();
            }
        }

        /** Messages are uploads. */
        @Override
        public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
            client.close();
        }

        @Override
        public StreamCallbackWithID receiveStream(
                TransportClient client, ByteBuffer announcement, RpcResponseCallback callback) {
            Integer sender = senders.get(client);
            int length = announcement.remaining() == Integer.BYTES ? announcement.getInt() : -1;
            if (sender == null || length < 0 || length > LARGEST_MESSAGE) {
                client.close();
                throw new IllegalArgumentException("A message of " + length + " bytes of rank " + sender);
            }
            Peer peer = peers.get(sender);
            ByteBuffer memory = peer.memory(length);
            return new StreamCallbackWithID() {
                @Override
                public String getID() {
                    return "message";
                }

                @Override
                public void onData(String id, ByteBuffer bytes) {
                    memory.put(bytes);
                }

                @Override
                public void onComplete(String id) {
                    peer.arrive(memory.flip(), client);
                }

                @Override
                public void onFailure(String id, Throwable cause) {
                    peer.fail("Rank " + sender + " has left: " + cause.getMessage());
                }
            };
        }

        @Override
        public void channelInactive(TransportClient client) {
            Integer sender = senders.remove(client);
            if (sender != null) {
                peers.get(sender).fail("Rank " + sender + " has left");
            }
        }

        @Override
        public StreamManager getStreamManager() {
            return streams;
        }
    }
}
