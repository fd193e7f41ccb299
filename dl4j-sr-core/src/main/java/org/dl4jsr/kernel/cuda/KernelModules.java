package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.cuModuleGetFunction;
import static org.bytedeco.cuda.global.cudart.cuModuleLoadData;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.Pointers;

/**
 * The kernels loaded on one device. With the first that is asked for all sources are compiled, or fetched from the cache,
 * side by side; who needs one before its turn compiles it himself.
 */
final class KernelModules {

    private final CudaDevice device;
    private final KernelCache cache;
    private final Map<KernelSource, FutureTask<byte[]>> images = new EnumMap<>(KernelSource.class);
    private final Map<KernelSource, CUmod_st> modules = new EnumMap<>(KernelSource.class);
    private final Map<String, CUfunc_st> functions = new HashMap<>();
    /** Held for reading by who compiles. */
    private final ReadWriteLock compiling = new ReentrantReadWriteLock();
    /** Whether Java ends: nothing is compiled ahead any more. */
    private boolean ending;

    KernelModules(CudaDevice device, KernelCache cache) {
        this.device = device;
        this.cache = cache;
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "dl4j-sr CUDA kernels"));
    }

    /** Waits for what is being compiled: NVRTC crashes if its process ends meanwhile. */
    private void end() {
        compiling.writeLock().lock();
        try {
            ending = true;
        } finally {
            compiling.writeLock().unlock();
        }
    }

    /** The kernel of this name; the device must be current. */
    synchronized CUfunc_st function(KernelSource source, String name) {
        CUfunc_st function = functions.get(name);
        if (function == null) {
            CUmod_st module = modules.get(source);
            if (module == null) {
                module = load(source);
                modules.put(source, module);
            }
            try (var scope = Pointers.scope()) {
                function = new CUfunc_st().retainReference();
                checkDriver(
                        cuModuleGetFunction(function, module, name),
                        () -> "cuModuleGetFunction of " + name + " in " + source.file());
            }
            functions.put(name, function);
        }
        return function;
    }

    private CUmod_st load(KernelSource source) {
        byte[] image = image(source);
        try (var scope = Pointers.scope()) {
            CUmod_st module = new CUmod_st().retainReference();
            checkDriver(
                    cuModuleLoadData(module, new BytePointer(image)),
                    () -> "cuModuleLoadData of " + source.file() + " on " + device);
            return module;
        }
    }

    private byte[] image(KernelSource source) {
        if (images.isEmpty()) {
            String architecture = Nvrtc.architecture(device.computeCapability());
            for (var each : KernelSource.values()) {
                images.put(each, new FutureTask<>(() -> cache.get(each, architecture)));
            }
            images.values().forEach(each -> ForkJoinPool.commonPool().execute(() -> run(each, true)));
        }
        FutureTask<byte[]> image = images.get(source);
        run(image, false);
        try {
            return image.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CudaException failure) {
                images.clear(); // the next one tries again
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while " + source.file() + " was compiled", e);
        }
    }

    private void run(FutureTask<byte[]> image, boolean ahead) {
        compiling.readLock().lock();
        try {
            if (!ahead || !ending) {
                image.run();
            }
        } finally {
            compiling.readLock().unlock();
        }
    }
}
