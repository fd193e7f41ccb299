package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.io.Texts;

/**
 * The checkpoints of a run directory. One is a pair of files: {@code checkpoint-STEP.zip}, the network and its updater
 * state as DL4J's ModelSerializer writes them, and {@code checkpoint-STEP.json}, the {@link TrainingState} and a
 * SHA-256 over both. The JSON is written last: without it there is no checkpoint. The last two are kept.
 */
public final class Checkpoints {

    private static final Pattern SEAL_NAME = Pattern.compile("checkpoint-(\\d+)\\.json");
    private static final Pattern ANY_NAME = Pattern.compile("checkpoint-\\d+\\.(json|zip)(\\.tmp)?");
    private static final int KEPT = 2;

    private final Path directory;
    /** The steps of the checkpoints that this process wrote or found whole. */
    private final List<Long> good = new ArrayList<>();

    /** The JSON file of a checkpoint. */
    private record Seal(TrainingState state, String sha256) {}

    public Checkpoints(Path directory) {
        this.directory = directory;
    }

    /** Writes a checkpoint, then removes all but the last two that are known to be whole. */
    void save(ComputationGraph network, TrainingState state) {
        Sha256 sha256 = new Sha256();
        AtomicFile.write(zip(state.step()), out -> ModelSerializer.writeModel(network, sha256.over(out), true));
        sha256.update(Json.compact(state));
        AtomicFile.write(seal(state.step()), Json.indented(new Seal(state, sha256.hex())));
        good.remove(Long.valueOf(state.step()));
        good.add(state.step());
        while (good.size() > KEPT) {
            good.remove(0);
        }
        removeOthers();
    }

    /**
     * The newest whole checkpoint, or empty where there is none at all. Damaged ones are named on standard error.
     *
     * @throws BadInput where there are checkpoints and all are damaged
     */
    public Optional<TrainingState> newest() {
        List<Long> steps = steps();
        for (long step : steps) {
            try {
                TrainingState state = verified(step);
                good.add(step);
                return Optional.of(state);
            } catch (IOException e) {
                System.err.println(
                        "Checkpoint " + seal(step) + " is damaged (" + BadInput.reason(e) + "): trying the one before");
            }
        }
        if (!steps.isEmpty()) {
            throw new BadInput("All checkpoints in " + directory + " are damaged: start again with another --out");
        }
        return Optional.empty();
    }

    /** The network of the checkpoint at {@code step}, with its updater state. */
    public ComputationGraph network(long step) {
        try {
            return ModelSerializer.restoreComputationGraph(zip(step).toFile(), true);
        } catch (IOException e) {
            throw new BadInput("Cannot read " + zip(step) + ": " + BadInput.reason(e), e);
        }
    }

    /** The file that holds the network at {@code step}. */
    Path zip(long step) {
        return directory.resolve(Texts.format("checkpoint-%08d.zip", step));
    }

    private Path seal(long step) {
        return directory.resolve(Texts.format("checkpoint-%08d.json", step));
    }

    /** All steps that have a JSON file, newest first. */
    private List<Long> steps() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> SEAL_NAME.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> Long.parseLong(name.group(1)))
                    .sorted(Comparator.reverseOrder())
                    .toList();
        } catch (IOException e) {
            throw new BadInput("Cannot read run directory " + directory + ": " + BadInput.reason(e), e);
        }
    }

    private TrainingState verified(long step) throws IOException {
        Seal seal = Json.read(Files.readString(seal(step)), Seal.class);
        if (seal == null || seal.state() == null || seal.state().step() != step) {
            throw new IOException("its JSON file is not of this step");
        }
        if (!sha256(zip(step), seal.state()).equals(seal.sha256())) {
            throw new IOException("its SHA-256 does not match");
        }
        return seal.state();
    }

    private static String sha256(Path zip, TrainingState state) throws IOException {
        Sha256 sha256 = new Sha256();
        Files.copy(zip, sha256.over(OutputStream.nullOutputStream()));
        sha256.update(Json.compact(state));
        return sha256.hex();
    }

    private void removeOthers() {
        List<Path> keep =
                good.stream().flatMap(step -> Stream.of(zip(step), seal(step))).toList();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                if (ANY_NAME.matcher(file.getFileName().toString()).matches() && !keep.contains(file)) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new BadInput("Cannot remove an old checkpoint in " + directory + ": " + BadInput.reason(e), e);
        }
    }
}
