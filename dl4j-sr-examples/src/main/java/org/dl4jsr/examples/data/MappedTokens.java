package org.dl4jsr.examples.data;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Token ids in a file of any size, little-endian, two or four bytes each. The file is mapped: it takes no heap, and
 * what is read of it stays in the system's cache as long as there is room.
 */
final class MappedTokens implements Tokens {

    /** A mapping is at most 2 GiB; a power of two is a whole number of tokens. */
    private static final int SEGMENT = 1 << 30;

    private final MappedByteBuffer[] segments;
    private final int bytesEach;
    private final long length;

    private MappedTokens(MappedByteBuffer[] segments, int bytesEach, long length) {
        this.segments = segments;
        this.bytesEach = bytesEach;
        this.length = length;
    }

    /** Bytes of a token id below {@code vocabulary}. */
    static int bytesEach(int vocabulary) {
        return vocabulary <= 1 << 16 ? Short.BYTES : Integer.BYTES;
    }

    /** The {@code length} tokens of {@code file} from byte {@code offset} on. */
    static MappedTokens of(Path file, long offset, long length, int bytesEach) throws IOException {
        long bytes = length * bytesEach;
        MappedByteBuffer[] segments = new MappedByteBuffer[(int) ((bytes + SEGMENT - 1) / SEGMENT)];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (offset + bytes > channel.size()) {
                throw new IOException("it has " + channel.size() + " bytes, expected " + (offset + bytes));
            }
            for (int i = 0; i < segments.length; i++) {
                long start = (long) i * SEGMENT;
                segments[i] =
                        channel.map(FileChannel.MapMode.READ_ONLY, offset + start, Math.min(SEGMENT, bytes - start));
                segments[i].order(ByteOrder.LITTLE_ENDIAN);
            }
        }
        return new MappedTokens(segments, bytesEach, length);
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void read(long start, int[] ids) {
        for (int i = 0; i < ids.length; i++) {
            long at = (start + i) * bytesEach;
            MappedByteBuffer segment = segments[(int) (at / SEGMENT)];
            int within = (int) (at % SEGMENT);
            ids[i] = bytesEach == Short.BYTES ? segment.getShort(within) & 0xFFFF : segment.getInt(within);
        }
    }
}
