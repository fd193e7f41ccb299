package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jsr.examples.torture.KillAtCall.How;
import org.dl4jsr.examples.torture.Kills.Kill;

/**
 * Many kills. First a run is killed at each call before its first row. Then three runs in four are killed at a call: each
 * call of the undisturbed run has its turn, and then again: before it, after half of it where it is a write, or by a disk
 * that is full from then on. The others are killed at a random moment. Every second run is killed once more after it was
 * resumed.
 */
final class KillTrials implements Torture.Part {

    private final List<Trial> trials = new ArrayList<>();
    private final int calls;
    private int atCalls;
    private int atMoments;
    private int fullDisks;

    private record Trial(Kills runs, List<Kill> kills) {}

    /** @param count kills and full disks, or one more */
    KillTrials(Path directory, int count, long seed) throws IOException, InterruptedException {
        Kills beginnings = new Kills(Files.createDirectory(directory.resolve("beginnings")), false);
        for (int call = 1; !beginnings.calls().get(call - 1).matches("write .*/metrics.csv"); call++) {
            trials.add(new Trial(beginnings, List.of(Kill.atCall(call, How.HALFWAY))));
        }
        Kills runs = new Kills(Files.createDirectory(directory.resolve("runs")), true);
        calls = runs.calls().size();
        Random random = new Random(seed);
        List<Integer> order =
                new ArrayList<>(IntStream.rangeClosed(1, calls).boxed().toList());
        Collections.shuffle(order, random);
        int next = 0;
        int planned = trials.size();
        for (int i = 0; planned < count; i++) {
            List<Kill> kills = new ArrayList<>();
            if (i % 4 == 3) {
                kills.add(Kill.after(random.nextLong(runs.milliseconds())));
            } else {
                kills.add(Kill.atCall(order.get(next++ % calls), how(random)));
            }
            if (i / 4 % 2 == 1) {
                kills.add(
                        i % 4 == 3
                                ? Kill.after(random.nextLong(runs.milliseconds()))
                                : Kill.atCall(1 + random.nextInt(calls / 2), how(random)));
            }
            planned += kills.size();
            trials.add(new Trial(runs, kills));
        }
    }

    private static How how(Random random) {
        return How.values()[random.nextInt(How.values().length)];
    }

    @Override
    public int size() {
        return trials.size();
    }

    @Override
    public void run(int index) throws IOException, InterruptedException {
        Trial trial = trials.get(index);
        List<Kill> befallen = trial.runs().run("killed-" + index, trial.kills());
        synchronized (this) {
            for (Kill kill : befallen) {
                if (kill.call() == 0) {
                    atMoments++;
                } else if (kill.how() == How.FULL_DISK) {
                    fullDisks++;
                } else {
                    atCalls++;
                }
            }
        }
    }

    @Override
    public synchronized String summary() {
        return atCalls + " kills at system calls (of " + calls + " in a run), " + atMoments + " at random moments, "
                + fullDisks + " full disks";
    }
}
