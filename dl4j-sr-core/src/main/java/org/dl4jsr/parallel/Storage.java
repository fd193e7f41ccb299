package org.dl4jsr.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** Where checkpoints lie: a folder that all ranks see. Names are relative to it, with / between folders. */
public interface Storage {

    /** Creates a file, with its folders, in place of one of that name; its bytes are durable once it is closed. */
    OutputStream create(String name) throws IOException;

    /** Reads a file from byte {@code position} on. */
    InputStream open(String name, long position) throws IOException;

    /** Gives a file another name, at once, in place of a file that has it. */
    void rename(String from, String to) throws IOException;

    /**
     * Creates a file of no bytes, which no two callers can.
     *
     * @return false where there is one already
     */
    boolean claim(String name) throws IOException;

    /** The names of all that lies right in a folder ("" is the whole), without the folder; none where there is no folder. */
    List<String> list(String folder) throws IOException;

    /** Deletes a folder with all that is in it, or a file; does nothing where there is none. */
    void delete(String name) throws IOException;
}
