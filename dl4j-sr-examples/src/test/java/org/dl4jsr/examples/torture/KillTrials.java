package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.dl4jsr.examples.torture.Kills.Kill;

/**
 * Many kills. Three runs in four are killed at a call: each call of the undisturbed run has its turn, and then again,
 * a write before it or after half of it. The others are killed at a random moment. Every second run is killed once more
 * after it was resumed.
 */
final class KillTrials implements Torture.Part {

    private final Kills kills;
    private final List<List<Kill>> trials = new ArrayList<>();
    private int atCalls;
    private int atMoments;

    /** @param count kills, or one more */
    KillTrials(Path directory, int count, long seed) throws IOException, InterruptedException {
        kills = new Kills(directory);
        int calls = kills.calls().size();
        Random random = new Random(seed);
        List<Integer> order = new ArrayList<>(IntStream.rangeClosed(1, calls).boxed().toList());
        Collections.shuffle(order, random);
        int next = 0;
        for (int planned = 0; planned < count; planned += trials.get(trials.size() - 1).size()) {
            List<Kill> trial = new ArrayList<>();
            boolean atCall = trials.size() % 4 != 3;
            trial.add(
                    atCall
                            ? Kill.atCall(order.get(next++ % calls), random.nextBoolean())
                            : Kill.after(random.nextLong(kills.milliseconds())));
            if (trials.size() / 4 % 2 == 1) {
                trial.add(
                        atCall
                                ? Kill.atCall(1 + random.nextInt(calls / 2), random.nextBoolean())
                                : Kill.after(random.nextLong(kills.milliseconds())));
            }
            trials.add(trial);
        }
    }

    @Override
    public int size() {
        return trials.size();
    }

    @Override
    public void run(int index) throws IOException, InterruptedException {
        List<Kill> trial = trials.get(index);
        int killed = kills.run("killed-" + index, trial);
        synchronized (this) {
            if (trial.get(0).call() > 0) {
                atCalls += killed;
            } else {
                atMoments += killed;
            }
        }
    }

    @Override
    public synchronized String summary() {
        return atCalls + " kills at system calls (" + kills.calls().size() + " in an undisturbed run) and " + atMoments
                + " at random moments";
    }
}
