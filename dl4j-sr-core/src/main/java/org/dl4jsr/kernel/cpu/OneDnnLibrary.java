package org.dl4jsr.kernel.cpu;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.StandardOpenOption;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import org.dl4jsr.kernel.Pointers;

/**
 * oneDNN's native library, loaded by one process at a time. All Java processes of a user share JavaCPP's cache, and oneDNN
 * brings a libgomp of its own: where another one is loaded, JavaCPP puts a link to that in its place, without a lock. A
 * process that unpacked oneDNN's at that moment wrote through the link, into the library that all others had mapped.
 */
final class OneDnnLibrary {

    /** The file that is locked; and the monitor of this process, in which a constant is one for all class loaders. */
    private static final String LOCK = ".dl4j-sr.lock";

    static {
        OpenMpSettings.load();
        synchronized (LOCK) { // a process that locks a file twice gets an exception
            load();
        }
    }

    private OneDnnLibrary() {}

    /** An engine of the CPU's; a {@link LinkageError} where the library does not load. */
    static engine engine() {
        try (var scope = Pointers.scope()) {
            return new engine(org.bytedeco.dnnl.engine.kind.cpu, 0).retainReference();
        }
    }

    /** Whether it multiplies BF16 on AMX's tiles. */
    static boolean hasTiles() {
        return runs(dnnl.dnnl_cpu_isa_avx512_core_amx);
    }

    /** Whether this CPU multiplies BF16 with AVX-512 or better; oneDNN refuses BF16 on others. */
    static boolean multipliesBFloat16() {
        return runs(dnnl.dnnl_cpu_isa_avx512_core);
    }

    /** Version and instruction set. */
    static String description() {
        var version = dnnl.dnnl_version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch() + ", "
                + dnnl.get_effective_cpu_isa().intern().name();
    }

    private static boolean runs(int isa) {
        return (dnnl.dnnl_get_effective_cpu_isa() & isa) == isa;
    }

    private static void load() {
        try (FileChannel file = FileChannel.open(
                        Loader.getCacheDir().toPath().resolve(LOCK),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
                FileLock lock = file.lock()) {
            Loader.load(dnnl.class);
        } catch (IOException e) {
            Loader.load(dnnl.class); // a cache that cannot be written to has no links to come
        }
    }
}
