package org.dl4jsr.examples.data;

import java.util.Arrays;
import org.dl4jsr.rounding.Philox4x32;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Batches of token windows: features INT [rows, context], labels the same windows one token later. Training windows
 * start anywhere, with replacement, as a pure function of (seed, step, row): to resume needs the step, nothing else.
 */
public final class TokenBatches {

    /** Keeps the data's random words apart from those that round weights under the same seed. */
    private static final long KEY = 0x5DEECE66DL;

    private final Tokens tokens;
    private final int rows;
    private final int context;

    /**
     * @param rows windows a batch
     * @param context tokens a window
     */
    public TokenBatches(Tokens tokens, int rows, int context) {
        if (tokens.length() <= context) {
            throw new IllegalArgumentException(tokens.length() + " tokens, expected more than a context of " + context);
        }
        this.tokens = tokens;
        this.rows = rows;
        this.context = context;
    }

    /** Batch number {@code part} of training step {@code step}, both from 0. */
    public DataSet random(long seed, long step, int part) {
        long[] starts = new long[rows];
        long starting = tokens.length() - context;
        for (int row = 0; row < rows; row++) {
            int[] words = Philox4x32.block(part * rows + row, 0, (int) step, (int) (step >>> 32), seed ^ KEY);
            long word = ((long) words[0] << 32) | (words[1] & 0xFFFFFFFFL);
            starts[row] = Math.floorMod(word, starting);
        }
        return at(starts);
    }

    /** How many windows {@link #spread} can give without overlap. */
    public int windows() {
        return (int) Math.min(Integer.MAX_VALUE, (tokens.length() - 1) / context);
    }

    /** The windows number {@code first} up to {@code first + rows} of {@code count} that are spread over the tokens. */
    public DataSet spread(int first, int count) {
        long[] starts = new long[Math.min(rows, count - first)];
        long starting = tokens.length() - context - 1;
        for (int i = 0; i < starts.length; i++) {
            starts[i] = count == 1 ? 0 : starting * (first + i) / (count - 1);
        }
        return at(starts);
    }

    private DataSet at(long[] starts) {
        int[][] features = new int[starts.length][];
        int[][] labels = new int[starts.length][];
        int[] window = new int[context + 1];
        for (int row = 0; row < starts.length; row++) {
            tokens.read(starts[row], window);
            features[row] = Arrays.copyOf(window, context);
            labels[row] = Arrays.copyOfRange(window, 1, context + 1);
        }
        return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels));
    }
}
