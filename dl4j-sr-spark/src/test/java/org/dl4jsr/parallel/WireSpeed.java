package org.dl4jsr.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.dl4jsr.spark.SparkTransports;

/**
 * Milliseconds for the mean of two ranks' BF16 gradients of 20 MB on both, which are two processes that a network joins,
 * and for what that network carries at best: as many bytes each way at the same time over plain sockets.
 */
final class WireSpeed {

    private static final int BYTES = 20_000_000; // what a rank sends for a mean of two gradients on both
    private static final int REPEATS = 15;

    private WireSpeed() {}

    /** Arguments: the rank, 0 or 1; its host and the other's; a folder that both see, empty at the start. */
    public static void main(String[] arguments) throws Exception {
        int rank = Integer.parseInt(arguments[0]);
        String host = arguments[1];
        Path folder = Path.of(arguments[3]);
        double[] plain = new double[REPEATS];
        try (Socket socket = socket(rank, host, arguments[2], folder)) {
            for (int i = 0; i < REPEATS; i++) {
                plain[i] = exchange(socket);
            }
        }
        Transport transport = SparkTransports.joined(rank, host, address -> {
            put(folder.resolve("rank-" + rank), address);
            return rank == 0
                    ? List.of(address, get(folder.resolve("rank-1")))
                    : List.of(get(folder.resolve("rank-0")), address);
        });
        double[] ours = AllReduceSpeed.allReduces(transport);
        Arrays.sort(plain);
        Arrays.sort(ours);
        System.out.printf(
                "plain sockets: median %.0f ms; all-reduce: median %.0f ms; %.2f of the network%n",
                plain[REPEATS / 2], ours[ours.length / 2], plain[REPEATS / 2] / ours[ours.length / 2]);
        transport.close();
        System.exit(0);
    }

    private static Socket socket(int rank, String host, String other, Path folder) throws Exception {
        if (rank == 1) {
            return new Socket(other, Integer.parseInt(get(folder.resolve("port"))));
        }
        try (var server = new ServerSocket(0, 1, InetAddress.getByName(host))) {
            put(folder.resolve("port"), "" + server.getLocalPort());
            return server.accept();
        }
    }

    private static double exchange(Socket socket) throws Exception {
        var pool = Executors.newSingleThreadExecutor();
        long start = System.nanoTime();
        Future<?> sent = pool.submit(() -> {
            OutputStream out = socket.getOutputStream();
            var bytes = new byte[1 << 16];
            for (int left = BYTES; left > 0; left -= bytes.length) {
                out.write(bytes, 0, Math.min(left, bytes.length));
            }
            return null;
        });
        InputStream in = socket.getInputStream();
        var bytes = new byte[1 << 16];
        for (int left = BYTES; left > 0; ) {
            left -= Math.max(1, in.read(bytes, 0, Math.min(left, bytes.length)));
        }
        sent.get();
        pool.shutdown();
        return (System.nanoTime() - start) / 1e6;
    }

    private static void put(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, file);
    }

    private static String get(Path file) throws Exception {
        while (!Files.exists(file)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        return Files.readString(file);
    }
}
