package org.dl4jsr.examples.io;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Counts what is read and forms its SHA-256. */
public final class HashedInput extends FilterInputStream {

    private final Sha256 sha256 = new Sha256();
    private long count;

    public HashedInput(InputStream in) {
        super(in);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        int read = super.read(bytes, offset, length);
        if (read > 0) {
            sha256.update(bytes, offset, read);
            count += read;
        }
        return read;
    }

    /** Bytes read so far. */
    public long count() {
        return count;
    }

    /** Of the bytes read so far, in hexadecimal; starts afresh. */
    public String sha256() {
        return sha256.hex();
    }
}
