package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.core.storage.Persistable;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.optimize.listeners.SleepyTrainingListener;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.stats.StatsListener;
import org.deeplearning4j.ui.model.stats.api.Histogram;
import org.deeplearning4j.ui.model.stats.api.StatsReport;
import org.deeplearning4j.ui.model.stats.api.StatsType;
import org.deeplearning4j.ui.model.stats.impl.DefaultStatsUpdateConfiguration;
import org.deeplearning4j.ui.model.storage.FileStatsStorage;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;

@Tag("slow")
class TrainingUiTest {

    private static final int ITERATIONS = 10;

    private static MultiLayerNetwork network(IUpdater updater, Bf16Policy policy) {
        return TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(updater, DataType.FLOAT)));
    }

    /** Reports are told apart by the millisecond, so that each iteration has to take one. */
    private static List<StatsReport> train(MultiLayerNetwork network, StatsStorage storage) {
        network.setListeners(
                new StatsListener(
                        storage,
                        null,
                        new DefaultStatsUpdateConfiguration.Builder()
                                .reportingFrequency(1)
                                .collectHistogramsActivations(true)
                                .collectHistogramsGradients(true)
                                .collectMeanGradients(true)
                                .build(),
                        "session",
                        "worker"),
                SleepyTrainingListener.builder().timerIteration(2).build());
        fit(network, ITERATIONS);
        return storage.getAllUpdatesAfter("session", "StatsListener", "worker", 0).stream()
                .map(StatsReport.class::cast)
                .toList();
    }

    @Test
    void numbersAreThoseOfFloat() {
        List<StatsReport> wide = train(network(new Sgd(0.1), Bf16Policy.FP32), new InMemoryStatsStorage());
        List<StatsReport> narrow = train(network(new Sgd(0.1), Bf16Policy.SR), new InMemoryStatsStorage());
        assertEquals(ITERATIONS, narrow.size());
        for (int i = 0; i < ITERATIONS; i++) {
            StatsReport expected = wide.get(i);
            StatsReport actual = narrow.get(i);
            assertEquals(expected.getScore(), actual.getScore(), 0.01);
            assertEquals(expected.getLearningRates(), actual.getLearningRates());
            for (StatsType type : StatsType.values()) {
                assertNear(expected.getMean(type), actual.getMean(type));
                assertNear(expected.getStdev(type), actual.getStdev(type));
                assertNear(expected.getMeanMagnitudes(type), actual.getMeanMagnitudes(type));
                assertAlike(expected.getHistograms(type), actual.getHistograms(type));
            }
        }
    }

    private static void assertNear(Map<String, Double> expected, Map<String, Double> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, value) -> assertEquals(value, actual.get(name), 0.02 + 0.02 * Math.abs(value), name));
    }

    private static void assertAlike(Map<String, Histogram> expected, Map<String, Histogram> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach((name, histogram) -> {
            Histogram other = actual.get(name);
            double width = histogram.getMax() - histogram.getMin();
            assertEquals(histogram.getMin(), other.getMin(), 0.02 * width, name);
            assertEquals(histogram.getMax(), other.getMax(), 0.02 * width, name);
            int count = Arrays.stream(histogram.getBinCounts()).sum();
            assertEquals(count, Arrays.stream(other.getBinCounts()).sum(), name);
            double mean = 0;
            for (int i = 0; i < histogram.getNBins(); i++) {
                mean += i * (histogram.getBinCounts()[i] - other.getBinCounts()[i]) / (double) count;
            }
            assertEquals(0, mean, 1, name + "'s centre, in bins");
        });
    }

    @Test
    void listeningChangesNothing() {
        var quiet = network(new Adam(5e-3), Bf16Policy.SR);
        var heard = network(new Adam(5e-3), Bf16Policy.SR);
        fit(quiet, ITERATIONS);
        train(heard, new InMemoryStatsStorage());
        assertArrayEquals(bits(quiet.params()), bits(heard.params()));
    }

    @Test
    void filesAreReadAgain(@TempDir Path directory) throws Exception {
        var file = directory.resolve("stats.dl4j").toFile();
        var storage = new FileStatsStorage(file);
        List<StatsReport> written = train(network(new Adam(5e-3), Bf16Policy.SR), storage);
        storage.close();
        var again = new FileStatsStorage(file);
        List<Persistable> read = again.getAllUpdatesAfter("session", "StatsListener", "worker", 0);
        again.close();
        assertEquals(ITERATIONS, read.size());
        assertEquals(written.get(3).getScore(), ((StatsReport) read.get(3)).getScore());
    }

    /** The server itself; its pages need web jars that the tests leave out, its data do not. */
    @Test
    void theServerShowsTheSession() throws Exception {
        var storage = new InMemoryStatsStorage();
        train(network(new Adam(5e-3), Bf16Policy.SR), storage);
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        VertxUIServer server = VertxUIServer.getInstance(port, false, null);
        try {
            server.attach(storage);
            HttpClient client = HttpClient.newHttpClient();
            String sessions = get(client, port, "/train/sessions/info");
            assertTrue(sessions.contains("session"), sessions);
            String overview = get(client, port, "/train/overview/data");
            assertTrue(overview.contains("\"scores\"") && !overview.contains("NaN"), overview);
        } finally {
            server.stop();
        }
    }

    private static String get(HttpClient client, int port, String path) throws Exception {
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), path + ": " + response.body());
        return response.body();
    }
}
