package org.dl4jsr.examples.io;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;

/**
 * How far the reading of many bytes is, on standard error: a bar where that is a terminal, else a line now and then.
 * Little is shown no progress of. Several threads may add to it.
 */
public final class ByteProgress implements AutoCloseable {

    private static final long LITTLE = 16L << 20;
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);

    private final String task;
    private final long total;
    private final long start = System.nanoTime();
    private final ProgressBar bar;
    private long done;
    private long lastLine = start;

    /**
     * @param task such as "Tokenizing"
     * @param total bytes to do
     */
    public ByteProgress(String task, long total) {
        this.task = task;
        this.total = total;
        bar = total > LITTLE
                ? Terminal.progressBar()
                        .map(builder -> builder.setTaskName(task)
                                .setInitialMax(total)
                                .setUnit(" MiB", 1 << 20)
                                .build())
                        .orElse(null)
                : null;
    }

    /** Counts what is read from {@code in}. */
    public InputStream counting(InputStream in) {
        return new FilterInputStream(in) {
            @Override
            public int read() throws IOException {
                int read = super.read();
                add(read < 0 ? 0 : 1);
                return read;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int read = super.read(bytes, offset, length);
                add(Math.max(0, read));
                return read;
            }
        };
    }

    public synchronized void add(long bytes) {
        done += bytes;
        long now = System.nanoTime();
        if (bar != null) {
            bar.stepTo(done);
        } else if (total > LITTLE && now - lastLine >= BETWEEN_LINES.toNanos()) {
            lastLine = now;
            Duration left = Duration.ofNanos((long) ((double) (now - start) / done * Math.max(0, total - done)));
            System.err.println(Texts.format(
                    "%s: %s of %s  %s left", task, Bytes.format(done), Bytes.format(total), Texts.time(left)));
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
