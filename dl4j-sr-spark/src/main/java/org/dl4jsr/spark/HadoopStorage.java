package org.dl4jsr.spark;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.dl4jsr.parallel.Storage;
import scala.Tuple2;

/** A folder of any file system that Hadoop knows: hdfs://, file:// where all machines mount it. */
final class HadoopStorage implements Storage {

    private final Path root;
    private final Configuration configuration;
    private final FileSystem files;

    HadoopStorage(String root, Configuration configuration) throws IOException {
        this.root = new Path(root);
        this.configuration = configuration;
        files = this.root.getFileSystem(configuration);
    }

    /** With what the application's {@code spark.hadoop.*} settings say. */
    static HadoopStorage onExecutor(String root) throws IOException {
        var configuration = new Configuration();
        for (Tuple2<String, String> setting : SparkEnv.get().conf().getAllWithPrefix("spark.hadoop.")) {
            configuration.set(setting._1(), setting._2());
        }
        return new HadoopStorage(root, configuration);
    }

    @Override
    public OutputStream create(String name) throws IOException {
        FSDataOutputStream file = files.create(path(name), true);
        return new FilterOutputStream(file) {

            private boolean closed;

            @Override
            public void write(byte[] bytes, int start, int length) throws IOException {
                file.write(bytes, start, length);
            }

            @Override
            public void close() throws IOException {
                if (!closed) {
                    closed = true;
                    file.hsync();
                    file.close();
                }
            }
        };
    }

    @Override
    public InputStream open(String name, long position) throws IOException {
        FSDataInputStream in = files.open(path(name));
        in.seek(position);
        return in;
    }

    /** By the file system's own rename with replacement: atomic on HDFS and on disks. */
    @Override
    public void rename(String from, String to) throws IOException {
        FileContext.getFileContext(root.toUri(), configuration).rename(path(from), path(to), Options.Rename.OVERWRITE);
    }

    @Override
    public boolean claim(String name) throws IOException {
        try {
            files.create(path(name), false).close();
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    @Override
    public List<String> list(String folder) throws IOException {
        Path path = folder.isEmpty() ? root : path(folder);
        if (!files.exists(path)) {
            return List.of();
        }
        var names = new ArrayList<String>();
        for (FileStatus status : files.listStatus(path)) {
            names.add(status.getPath().getName());
        }
        names.sort(null);
        return List.copyOf(names);
    }

    @Override
    public void delete(String name) throws IOException {
        files.delete(path(name), true);
    }

    private Path path(String name) {
        return new Path(root, name);
    }
}
