package org.dl4jsr.examples.data;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** How text is in a file. */
interface TextFormat {

    /** Characters of a {@link Piece}, about: enough to be worth a task, few enough to have many of them in memory. */
    int PIECE = 1 << 18;

    /**
     * Some text, to be made tokens of by itself.
     *
     * @param validation whether it is for validation
     * @param texts each one but the last is whole, none is empty
     * @param ends whether the last one ends here, too
     */
    record Piece(boolean validation, List<String> texts, boolean ends) {}

    /** Takes pieces, in order. */
    interface PieceSink {
        void add(Piece piece);
    }

    /** Names the format and its settings. */
    String kind();

    /** As {@link CorpusFile#mostForValidation}. */
    long mostForValidation();

    /** Reads all of {@code in} and returns its units. Throws with the reason where it is not of this format. */
    long scan(InputStream in) throws IOException;

    /** Reads all of {@code in}, of which {@code trainingUnits} units are for training and the rest for validation. */
    void read(InputStream in, long trainingUnits, PieceSink sink) throws IOException;
}
