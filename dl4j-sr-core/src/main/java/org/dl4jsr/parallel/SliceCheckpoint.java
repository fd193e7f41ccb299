package org.dl4jsr.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.dl4jsr.parallel.SliceFile.Range;
import org.dl4jsr.updater.UpdaterStatus;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoints that each rank writes a slice of: its weights and updater state. Once all slices are durable the first rank
 * makes the checkpoint count, by renaming its manifest. Any number of ranks, in any {@link Mode}, goes on from it with
 * the bits of a run that has not been interrupted. The last two are kept.
 *
 * <p>All ranks call the same methods in the same order.
 */
public final class SliceCheckpoint {

    private static final Logger LOG = LoggerFactory.getLogger(SliceCheckpoint.class);

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MANIFEST = "manifest.json";
    private static final String PREFIX = "step-";
    private static final int KEPT = 2;

    private final Storage storage;
    private final DataParallel training;
    private final Collective collective;

    /**
     * What there is beside the network.
     *
     * @param step steps taken
     * @param note what {@link #save} was given
     */
    public record Saved(long step, String note) {}

    /** Of a training that has not taken a step yet, in {@code storage}, which no other training uses. */
    public SliceCheckpoint(Storage storage, DataParallel training) {
        this.storage = storage;
        this.training = training;
        collective = training.collective();
    }

    /**
     * Writes a checkpoint.
     *
     * @param step steps taken
     * @param note anything to keep with it; the first rank's counts
     * @throws IOException on all ranks where one cannot write; the checkpoints before are kept
     */
    public void save(long step, String note) throws IOException {
        String folder = folder(step);
        collective.setStep(step);
        long index = -1;
        IOException failure = null;
        try {
            index = SliceFile.write(storage, folder, collective.rank(), collective.device(), training.ownRanges());
        } catch (IOException e) {
            failure = e;
        }
        long[][] indexes = collective.gather(index);
        requireAll(indexes, failure, "write its slice of");
        if (collective.rank() == 0) {
            try {
                commit(folder, step, note, indexes);
            } catch (IOException e) {
                failure = e;
            }
        }
        requireAll(collective.gather(failure == null ? 0 : -1), failure, "write the manifest of");
    }

    private void requireAll(long[][] results, IOException own, String what) throws IOException {
        for (int rank = 0; rank < results.length; rank++) {
            if (results[rank][0] < 0) {
                throw new IOException(
                        "Rank " + rank + " cannot " + what + " a checkpoint"
                                + (own == null ? "" : ": " + own.getMessage()) + "; those before are kept",
                        own);
            }
        }
    }

    private void commit(String folder, long step, String note, long[][] indexes) throws IOException {
        var manifest = new LinkedHashMap<String, Object>();
        var network = training.network();
        var status = UpdaterStatus.of(network.model());
        manifest.put("step", step);
        manifest.put("note", note);
        manifest.put("iteration", network.iteration());
        manifest.put("epoch", network.epoch());
        manifest.put("skippedSteps", status.skippedSteps());
        manifest.put("consecutiveSkips", status.consecutiveSkips());
        manifest.put("type", network.parameters().dataType().name());
        manifest.put("parameters", network.parameters().length());
        manifest.put("state", training.stateLength());
        manifest.put("kernels", collective.device().kernels().description());
        manifest.put("slices", List.of(indexes).stream().map(rank -> rank[0]).toList());
        String temporary = folder + "/" + MANIFEST + ".tmp";
        try (OutputStream out = storage.create(temporary)) {
            out.write(JSON.writerWithDefaultPrettyPrinter()
                    .writeValueAsString(manifest)
                    .getBytes(StandardCharsets.UTF_8));
        }
        storage.rename(temporary, folder + "/" + MANIFEST);
        List<Long> steps = steps();
        for (long old : steps.subList(Math.min(KEPT, steps.size()), steps.size())) {
            storage.delete(folder(old));
        }
    }

    private static String folder(long step) {
        return PREFIX + step;
    }

    /** Those of all folders, whole or not, the last first. */
    private List<Long> steps() throws IOException {
        return storage.list("").stream()
                .filter(name -> name.matches(PREFIX + "\\d+"))
                .map(name -> Long.valueOf(name.substring(PREFIX.length())))
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    /**
     * Brings the network to the newest checkpoint that is whole, or leaves it alone where there is none.
     *
     * @throws IOException where there are checkpoints, but none can be read; the network is of no use then
     */
    public Optional<Saved> restore() throws IOException {
        List<Long> steps = collective.rank() == 0 ? steps() : List.of();
        boolean damaged = false;
        for (int i = 0; ; i++) {
            long step = collective.gather(i < steps.size() ? steps.get(i) : -1)[0][0];
            if (step < 0) {
                break;
            }
            JsonNode manifest = null;
            boolean failed = false;
            try {
                manifest = manifest(folder(step));
                if (manifest != null) {
                    read(folder(step), manifest);
                }
            } catch (IOException e) {
                LOG.warn("Checkpoint {} cannot be read: {}", folder(step), e.getMessage());
                failed = true;
            }
            long[][] results = collective.gather(failed ? -1 : manifest == null ? 0 : 1);
            if (List.of(results).stream().allMatch(result -> result[0] == 1)) {
                restoreCounts(manifest);
                return Optional.of(new Saved(step, manifest.get("note").asText()));
            }
            damaged |= List.of(results).stream().anyMatch(result -> result[0] != 0);
        }
        if (damaged) {
            throw new IOException("None of the checkpoints can be read: delete them to begin anew");
        }
        return Optional.empty();
    }

    /** Null where the folder has none: the ranks had not written all of it. */
    private JsonNode manifest(String folder) throws IOException {
        if (!storage.list(folder).contains(MANIFEST)) {
            return null;
        }
        try (InputStream in = storage.open(folder + "/" + MANIFEST, 0)) {
            return JSON.readTree(in.readAllBytes());
        }
    }

    private void read(String folder, JsonNode manifest) throws IOException {
        var network = training.network();
        requireSame("parameters", manifest, network.parameters().length());
        requireSame("type", manifest, network.parameters().dataType());
        requireSame("state", manifest, training.stateLength());
        List<Range> ranges = training.neededRanges();
        for (int rank = 0; rank < manifest.get("slices").size(); rank++) {
            long crc = manifest.get("slices").get(rank).asLong();
            SliceFile.read(storage, folder, rank, crc, collective.device(), ranges);
        }
    }

    private static void requireSame(String what, JsonNode manifest, Object own) {
        if (!manifest.get(what).asText().equals("" + own)) {
            throw new IllegalArgumentException("The checkpoints are of a network whose " + what + " is "
                    + manifest.get(what).asText() + ", and this one's is " + own + ": name another folder, or build"
                    + " the same network");
        }
    }

    private void restoreCounts(JsonNode manifest) {
        var network = training.network();
        network.setCounts(
                manifest.get("iteration").asInt(), manifest.get("epoch").asInt());
        UpdaterStatus.of(network.model())
                .restore(
                        manifest.get("skippedSteps").asLong(),
                        manifest.get("consecutiveSkips").asInt());
    }
}
