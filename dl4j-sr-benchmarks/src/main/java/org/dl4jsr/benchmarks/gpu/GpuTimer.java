package org.dl4jsr.benchmarks.gpu;

import static org.bytedeco.cuda.global.cudart.CU_EVENT_DEFAULT;
import static org.bytedeco.cuda.global.cudart.cuEventCreate;
import static org.bytedeco.cuda.global.cudart.cuEventDestroy;
import static org.bytedeco.cuda.global.cudart.cuEventElapsedTime;
import static org.bytedeco.cuda.global.cudart.cuEventRecord;
import static org.bytedeco.cuda.global.cudart.cuEventSynchronize;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.Arrays;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.dl4jsr.kernel.cuda.CudaStream;

/** Times work on one stream by the GPU's own clock. */
final class GpuTimer implements AutoCloseable {

    private static final int WARM_UPS = 3;
    private static final int ROUNDS = 7;
    /** Work of a round, so that the gaps between launches count little. */
    private static final int REPETITIONS = 5;

    private final CudaStream stream;
    private final CUevent_st begin = new CUevent_st();
    private final CUevent_st end = new CUevent_st();

    GpuTimer(CudaStream stream) {
        this.stream = stream;
        stream.device().makeCurrent();
        checkDriver(cuEventCreate(begin, CU_EVENT_DEFAULT), "cuEventCreate");
        checkDriver(cuEventCreate(end, CU_EVENT_DEFAULT), "cuEventCreate");
    }

    /** Milliseconds that {@code work} takes: the median of several rounds. */
    double milliseconds(Runnable work) {
        for (int i = 0; i < WARM_UPS; i++) {
            work.run();
        }
        double[] times = new double[ROUNDS];
        float[] elapsed = new float[1];
        for (int round = 0; round < ROUNDS; round++) {
            checkDriver(cuEventRecord(begin, stream.handle()), "cuEventRecord");
            for (int i = 0; i < REPETITIONS; i++) {
                work.run();
            }
            checkDriver(cuEventRecord(end, stream.handle()), "cuEventRecord");
            checkDriver(cuEventSynchronize(end), "cuEventSynchronize");
            checkDriver(cuEventElapsedTime(elapsed, begin, end), "cuEventElapsedTime");
            times[round] = elapsed[0] / REPETITIONS;
        }
        Arrays.sort(times);
        return times[ROUNDS / 2];
    }

    @Override
    public void close() {
        checkDriver(cuEventDestroy(begin), "cuEventDestroy");
        checkDriver(cuEventDestroy(end), "cuEventDestroy");
    }
}
