package org.dl4jsr.examples.data;

import java.util.Arrays;
import org.dl4jsr.examples.io.BadInput;

/** A growing sequence of token ids, two bytes each: ids are below 65,536. */
public final class TokenBuffer {

    private char[] ids = new char[1 << 16];
    private int length;

    public int length() {
        return length;
    }

    int get(int index) {
        return ids[index];
    }

    public void add(int token) {
        if (length == ids.length) {
            if (length > Integer.MAX_VALUE / 2) {
                throw new BadInput(
                        "The text has over " + length + " tokens, more than this app can hold: " + "give less text");
            }
            ids = Arrays.copyOf(ids, 2 * length);
        }
        ids[length++] = (char) token;
    }
}
