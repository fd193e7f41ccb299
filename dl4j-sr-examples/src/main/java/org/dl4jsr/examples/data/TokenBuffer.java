package org.dl4jsr.examples.data;

import java.util.Arrays;
import org.dl4jsr.examples.io.BadInput;

/** A growing sequence of token ids in memory. */
public final class TokenBuffer implements Tokens, TokenSink {

    private static final int LONGEST = 1 << 30;

    private int[] ids = new int[1 << 12];
    private int length;

    @Override
    public long length() {
        return length;
    }

    @Override
    public void read(long start, int[] into) {
        System.arraycopy(ids, Math.toIntExact(start), into, 0, into.length);
    }

    public void add(int token) {
        add(new int[] {token});
    }

    @Override
    public void add(int[] more) {
        if (more.length > ids.length - length) {
            if (more.length > LONGEST - length) {
                throw new BadInput(
                        "The text has over " + length + " tokens, more than memory can hold: give less text");
            }
            ids = Arrays.copyOf(ids, Math.min(LONGEST, Math.max(2 * ids.length, length + more.length)));
        }
        System.arraycopy(more, 0, ids, length, more.length);
        length += more.length;
    }
}
