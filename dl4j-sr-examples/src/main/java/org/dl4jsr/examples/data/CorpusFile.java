package org.dl4jsr.examples.data;

import java.io.IOException;
import org.dl4jsr.examples.io.ByteProgress;

/** A file of a corpus: text, or tokens that are made already. */
sealed interface CorpusFile permits Document, TokenFile {

    /** Where it is, relative to what the user named; '/' between folders. */
    String path();

    /** What kind of file it is: with path and content it decides what is learnt from it. */
    String kind();

    /** Bytes on the disk, for showing progress. */
    long size();

    /**
     * Reads it from end to end.
     *
     * @throws IOException where it cannot be read or is not what its name says; the message is the reason
     */
    ScannedFile scan(ByteProgress progress) throws IOException;

    /** The most units that it gives for validation where it is divided. */
    long mostForValidation();
}
