package org.dl4jsr.spark;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Carries bytes between who connects to it and a port of this machine, until it is cut. */
final class Relay implements AutoCloseable {

    private final int target;
    private final ServerSocket server;
    private final List<Socket> sockets = new ArrayList<>();
    private volatile boolean cut;

    Relay(int target) throws IOException {
        this.target = target;
        server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** From now on it carries nothing, and closes nothing. */
    void cut() {
        cut = true;
    }

    private static void start(Runnable work) {
        var thread = new Thread(work, "relay");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket from = open(server.accept());
                Socket to = open(new Socket(InetAddress.getLoopbackAddress(), target));
                start(() -> carry(from, to));
                start(() -> carry(to, from));
            }
        } catch (IOException e) {
            // it is closed
        }
    }

    private synchronized Socket open(Socket socket) {
        sockets.add(socket);
        return socket;
    }

    private void carry(Socket from, Socket to) {
        var bytes = new byte[4096];
        try {
            for (int count = from.getInputStream().read(bytes); count >= 0; ) {
                if (!cut) {
                    to.getOutputStream().write(bytes, 0, count);
                }
                count = from.getInputStream().read(bytes);
            }
        } catch (IOException e) {
            // it is closed
        }
    }

    @Override
    public synchronized void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
