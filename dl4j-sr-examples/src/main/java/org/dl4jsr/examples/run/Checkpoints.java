package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.io.Texts;

/**
 * The checkpoints of a run directory. One is a pair of files: {@code checkpoint-STEP.zip}, the network and its updater
 * state as DL4J's ModelSerializer reads them, and {@code checkpoint-STEP.json}, the {@link Checkpoint} and a SHA-256
 * over both. The JSON is written last: without it there is no checkpoint. The last two are kept, and the one with the
 * lowest validation loss.
 */
public final class Checkpoints {

    private static final Pattern NAME = Pattern.compile("checkpoint-([0-9]{1,18})\\.(json|zip)");
    private static final Pattern ANY_NAME = Pattern.compile("checkpoint-[0-9]+\\.(json|zip)(\\.tmp)?");
    private static final int KEPT = 2;

    private final Path directory;
    /** Those that this process wrote or found whole, by step. */
    private final List<Checkpoint> good = new ArrayList<>();

    /** The JSON file of a checkpoint. */
    private record Seal(Checkpoint checkpoint, String sha256) {}

    public Checkpoints(Path directory) {
        this.directory = directory;
    }

    /** Writes a checkpoint, then removes all that need not be kept. */
    public void save(AtomicFile.Content model, Checkpoint checkpoint) {
        Sha256 sha256 = new Sha256();
        AtomicFile.write(zip(checkpoint.step()), out -> model.writeTo(sha256.over(out)));
        sha256.update(Json.compact(checkpoint));
        AtomicFile.write(json(checkpoint.step()), Json.indented(new Seal(checkpoint, sha256.hex())));
        good.removeIf(other -> other.step() == checkpoint.step());
        good.add(checkpoint);
        removeOthers();
    }

    /**
     * The newest whole checkpoint, or empty where there is none at all. Damaged ones are named on standard error.
     *
     * @throws BadInput where there are checkpoints and all are damaged
     */
    public Optional<Checkpoint> newest() {
        List<Long> steps = steps();
        for (long step : steps) {
            try {
                Checkpoint checkpoint = verified(step);
                good.add(checkpoint);
                return Optional.of(checkpoint);
            } catch (IOException e) {
                System.err.println("Checkpoint " + zip(step) + " is damaged or unfinished (" + BadInput.reason(e)
                        + "): trying the one before");
            }
        }
        if (steps.stream().anyMatch(step -> Files.exists(json(step)))) {
            throw new BadInput("All checkpoints in " + directory + " are damaged: start again with another --out");
        }
        return Optional.empty();
    }

    /** The checkpoint whose network is {@code zip}. */
    public static Checkpoint of(Path zip) {
        Matcher name = NAME.matcher(zip.getFileName().toString());
        if (!name.matches()) {
            throw new BadInput(zip + " is no checkpoint: expected a name such as checkpoint-00000040.zip");
        }
        try {
            return new Checkpoints(zip.toAbsolutePath().getParent()).verified(Long.parseLong(name.group(1)));
        } catch (IOException e) {
            throw new BadInput("Checkpoint " + zip + " is damaged (" + BadInput.reason(e) + ")", e);
        }
    }

    /**
     * Goes on from {@code newest}: looks for the best among those before it, to keep it, and removes all that need not be
     * kept, which a crash may have left.
     */
    void goOnFrom(Checkpoint newest) {
        for (long step : steps()) {
            if (step >= newest.step()) {
                continue;
            }
            try {
                good.add(0, verified(step));
            } catch (IOException e) {
                // not worth keeping
            }
        }
        removeOthers();
    }

    /** The one with the lowest validation loss, of those known to be whole. */
    Optional<Checkpoint> best() {
        return good.stream()
                .filter(checkpoint -> !Double.isNaN(checkpoint.valLoss()))
                .min(Comparator.comparingDouble(Checkpoint::valLoss));
    }

    /** The file that holds the network at {@code step}. */
    public Path zip(long step) {
        return directory.resolve(Texts.format("checkpoint-%08d.zip", step));
    }

    private Path json(long step) {
        return directory.resolve(Texts.format("checkpoint-%08d.json", step));
    }

    /** All steps that have a file, newest first. */
    private List<Long> steps() {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> NAME.matcher(file.getFileName().toString()))
                    .filter(Matcher::matches)
                    .map(name -> Long.parseLong(name.group(1)))
                    .distinct()
                    .sorted(Comparator.reverseOrder())
                    .toList();
        } catch (IOException e) {
            throw new BadInput("Cannot read run directory " + directory + ": " + BadInput.reason(e), e);
        }
    }

    private Checkpoint verified(long step) throws IOException {
        if (!Files.exists(json(step))) {
            throw new IOException("it has no " + json(step).getFileName());
        }
        Seal seal = Json.read(Texts.read(json(step)), Seal.class);
        if (seal.checkpoint().step() != step) {
            throw new IOException(
                    "its JSON file is of step " + seal.checkpoint().step());
        }
        if (!Files.isRegularFile(zip(step))) {
            throw new IOException("it has no regular file " + zip(step).getFileName());
        }
        Sha256 sha256 = new Sha256();
        Files.copy(zip(step), sha256.over(OutputStream.nullOutputStream()));
        sha256.update(Json.compact(seal.checkpoint()));
        if (!sha256.hex().equals(seal.sha256())) {
            throw new IOException("its SHA-256 does not match");
        }
        return seal.checkpoint();
    }

    private void removeOthers() {
        Checkpoint best = best().orElse(null);
        List<Checkpoint> last = List.copyOf(good.subList(Math.max(0, good.size() - KEPT), good.size()));
        good.removeIf(checkpoint -> !checkpoint.equals(best) && !last.contains(checkpoint));
        Set<Path> keep = new HashSet<>();
        good.forEach(checkpoint -> keep.addAll(List.of(zip(checkpoint.step()), json(checkpoint.step()))));
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
