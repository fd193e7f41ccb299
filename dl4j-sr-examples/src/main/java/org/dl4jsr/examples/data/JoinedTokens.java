package org.dl4jsr.examples.data;

import java.util.Arrays;
import java.util.List;

/** Several rows of tokens, one after the other. */
final class JoinedTokens implements Tokens {

    private final List<Tokens> parts;
    /** Where each part begins, and the end. */
    private final long[] starts;

    JoinedTokens(List<Tokens> parts) {
        this.parts = List.copyOf(parts);
        starts = new long[parts.size() + 1];
        for (int i = 0; i < parts.size(); i++) {
            starts[i + 1] = starts[i] + parts.get(i).length();
        }
    }

    @Override
    public long length() {
        return starts[parts.size()];
    }

    @Override
    public void read(long start, int[] ids) {
        int part = Arrays.binarySearch(starts, start);
        part = part < 0 ? -part - 2 : part;
        for (int done = 0; done < ids.length; part++) {
            long from = start + done;
            int[] piece = new int[(int) Math.min(ids.length - done, starts[part + 1] - from)];
            parts.get(part).read(from - starts[part], piece);
            System.arraycopy(piece, 0, ids, done, piece.length);
            done += piece.length;
        }
    }
}
