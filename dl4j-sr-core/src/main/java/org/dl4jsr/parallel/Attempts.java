package org.dl4jsr.parallel;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;

/** The numbers of the attempts at one run, in its folder: whoever has the highest owns the run. */
public final class Attempts {

    private static final String FOLDER = "attempts";

    private Attempts() {}

    /** A number above all others', which nobody else has. */
    public static int next(Storage storage) throws IOException {
        for (int attempt = newest(storage) + 1; ; attempt++) {
            if (storage.claim(FOLDER + "/" + attempt)) {
                return attempt;
            }
        }
    }

    /** @throws IllegalStateException where a later attempt has begun */
    static void requireNewest(Storage storage, int attempt) throws IOException {
        int newest = newest(storage);
        if (newest > attempt) {
            throw new IllegalStateException("Attempt " + attempt + " stops: another driver has begun attempt " + newest
                    + " at the run in this folder; one folder is for one run");
        }
    }

    private static int newest(Storage storage) throws IOException {
        List<String> names = storage.list(FOLDER);
        return names.stream()
                .filter(name -> name.matches("\\d+"))
                .map(Integer::valueOf)
                .max(Comparator.naturalOrder())
                .orElse(-1);
    }
}
