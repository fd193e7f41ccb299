package org.dl4jsr.examples.data;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.Sha256;

/** Writes token ids to a file, as {@link MappedTokens} reads them, and forms the file's SHA-256. */
final class TokenWriter implements TokenSink, AutoCloseable {

    private final Path path;
    private final FileOutputStream file;
    private final OutputStream out;
    private final Sha256 sha256 = new Sha256();
    private final int bytesEach;
    private long length;

    TokenWriter(Path path, int bytesEach) throws IOException {
        this.path = path;
        file = new FileOutputStream(path.toFile());
        out = sha256.over(new BufferedOutputStream(file)); // a small text is a few tokens
        this.bytesEach = bytesEach;
    }

    @Override
    public void add(int[] ids) {
        ByteBuffer bytes = ByteBuffer.allocate(ids.length * bytesEach).order(ByteOrder.LITTLE_ENDIAN);
        for (int id : ids) {
            if (bytesEach == Short.BYTES) {
                bytes.putShort((short) id);
            } else {
                bytes.putInt(id);
            }
        }
        try {
            out.write(bytes.array());
        } catch (IOException e) {
            throw AtomicFile.failure(path, e);
        }
        length += ids.length;
    }

    /** Tokens written so far. */
    long length() {
        return length;
    }

    /** Brings it all onto the disk and returns the file's SHA-256. */
    String finish() throws IOException {
        out.flush();
        file.getFD().sync();
        return sha256.hex();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
