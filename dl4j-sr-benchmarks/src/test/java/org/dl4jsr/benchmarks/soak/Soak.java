package org.dl4jsr.benchmarks.soak;

import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.integration.SmallNetworks;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.nd4j.linalg.learning.config.Nesterovs;

/**
 * A convolutional and a recurrent network train in turns; memory is measured. {@link #main} is the long run, by hand.
 */
final class Soak {

    private static final double MEBIBYTE = 1 << 20;

    private final MultiLayerNetwork convolutional = SmallNetworks.convolutional(new SrAdam(1e-3));
    private final MultiLayerNetwork recurrent =
            SmallNetworks.recurrent(new StochasticallyRounded(new Nesterovs(0.01, 0.9)));

    /**
     * What is left after garbage collection.
     *
     * @param heap of Java, in use, in MiB
     * @param resident of the whole process, in MiB: also what Java's heap has ever touched
     */
    record Memory(double heap, double resident) {

        static Memory now() {
            double heap = Double.MAX_VALUE;
            // ND4J's deallocator threads may be far behind: what they have to free yet is no leak
            for (int unchanged = 0, i = 0; unchanged < 5 && i < 200; i++) {
                System.gc();
                Runtime runtime = Runtime.getRuntime();
                double used = (runtime.totalMemory() - runtime.freeMemory()) / MEBIBYTE;
                unchanged = used < heap - 0.1 ? 0 : unchanged + 1;
                heap = Math.min(heap, used);
                try {
                    Thread.sleep(50);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return new Memory(heap, Pointer.physicalBytes() / MEBIBYTE);
        }
    }

    /** Trains both networks for half of the iterations each. */
    void run(int iterations) {
        for (int i = 0; i < iterations / 2; i++) {
            convolutional.fit(SmallNetworks.IMAGES);
            recurrent.fit(SmallNetworks.SEQUENCES);
        }
    }

    /**
     * Trains for as many iterations as the argument says, by default 10,000, and prints memory ten times. With
     * {@code -Xms300m -Xmx300m -XX:+AlwaysPreTouch} the resident memory changes by native memory alone, and with
     * {@code MALLOC_ARENA_MAX=1} in the environment without what glibc keeps of freed memory for each thread.
     *
     * <p>With all of these and {@code OMP_NUM_THREADS=1}, on two cores of an AMD EPYC (Zen 4) on 2026-11-24: heap 16.0
     * MiB from 3,000 to 15,000 iterations and 15.6 from 18,000 to 30,000; resident 467 MiB at 12,000 and 468 at 30,000.
     * With glibc's many arenas resident memory went on by steps, from 499 MiB at 8,000 to 503 at 40,000, while what was
     * allocated in them fell back to 30 to 32 MiB (its mallinfo2): freed memory that glibc keeps, not a leak.
     */
    public static void main(String[] arguments) {
        int iterations = arguments.length == 0 ? 10_000 : Integer.parseInt(arguments[0]);
        var soak = new Soak();
        for (int part = 0; part <= 10; part++) {
            Memory memory = Memory.now();
            System.out.printf(
                    Locale.ROOT,
                    "%6d iterations: heap %.1f MiB, resident %.0f MiB%n",
                    part * iterations / 10,
                    memory.heap,
                    memory.resident);
            if (part < 10) {
                soak.run(iterations / 10);
            }
        }
    }
}
