package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CU_EVENT_DISABLE_TIMING;
import static org.bytedeco.cuda.global.cudart.cuEventCreate;
import static org.bytedeco.cuda.global.cudart.cuEventDestroy;
import static org.bytedeco.cuda.global.cudart.cuEventRecord;
import static org.bytedeco.cuda.global.cudart.cuEventSynchronize;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.lang.ref.Cleaner;
import java.util.function.LongConsumer;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;

/**
 * FP32 values as they are once the work given so far is done: written to memory that the CPU can read at any time, so that
 * it waits for that work alone, while what is given later still runs.
 */
public final class EarlyReading {

    private static final Cleaner CLEANER = Cleaner.create();

    private final CudaStream stream;
    private final Resources resources;
    private final Cleaner.Cleanable cleanable;
    private final int length;

    /** What a reading has until it is done, or nobody has it any more. */
    private record Resources(UnifiedMemory memory, CudaDevice device, long address, CUevent_st event)
            implements Runnable {

        @Override
        public void run() {
            device.makeCurrent();
            checkDriver(cuEventDestroy(event), "cuEventDestroy");
            memory.free(address);
        }
    }

    /** @see UnifiedMemory#read */
    EarlyReading(UnifiedMemory memory, CudaStream stream, int length, LongConsumer writer) {
        this.stream = stream;
        this.length = length;
        long bytes = (long) Float.BYTES * length;
        stream.device().makeCurrent();
        CUevent_st event;
        try (var scope = Pointers.scope()) {
            event = new CUevent_st().retainReference();
        }
        stream.check(cuEventCreate(event, CU_EVENT_DISABLE_TIMING), () -> "cuEventCreate");
        resources = new Resources(memory, stream.device(), memory.allocateForReading(bytes, false), event);
        cleanable = CLEANER.register(this, resources);
        writer.accept(resources.address);
        stream.check(cuEventRecord(event, stream.handle()), () -> "cuEventRecord");
    }

    /** Waits for the values, and returns them, once. */
    public float[] values() {
        stream.device().makeCurrent();
        stream.check(cuEventSynchronize(resources.event), () -> "cuEventSynchronize");
        var values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = Memory.getFloat(resources.address + (long) Float.BYTES * i);
        }
        cleanable.clean();
        return values;
    }
}
