package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.nvrtc.nvrtcCompileProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcCreateProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcDestroyProgram;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetCUBIN;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetCUBINSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetNumSupportedArchs;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetPTX;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetPTXSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLog;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetProgramLogSize;
import static org.bytedeco.cuda.global.nvrtc.nvrtcGetSupportedArchs;
import static org.bytedeco.cuda.global.nvrtc.nvrtcVersion;
import static org.dl4jsr.kernel.cuda.CudaException.checkNvrtc;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.dl4jsr.kernel.Pointers;

/** NVRTC, CUDA's compiler as a library; needs no GPU. */
public final class Nvrtc {

    /** Each operation is rounded once and subnormals are kept: what the kernels' bits rest on. */
    static final List<String> OPTIONS = Stream.concat(
                    Stream.of(
                            "--std=c++17",
                            "--device-as-default-execution-space",
                            "--fmad=false",
                            "--prec-sqrt=true",
                            "--prec-div=true",
                            "--ftz=false"),
                    KernelConstant.definitions().stream())
            .toList();

    private Nvrtc() {}

    /** Such as 13.0. */
    public static String version() {
        int[] major = new int[1];
        int[] minor = new int[1];
        checkNvrtc(nvrtcVersion(major, minor), "nvrtcVersion");
        return major[0] + "." + minor[0];
    }

    /**
     * What to compile for a GPU of this compute capability (major * 10 + minor): its machine code, sm_NN, or where
     * NVRTC does not know the GPU yet, the newest PTX, compute_NN, which the driver translates.
     */
    public static String architecture(int computeCapability) {
        int best = best(computeCapability).orElseThrow(() -> new IllegalStateException(problem(computeCapability)));
        return (best == computeCapability ? "sm_" : "compute_") + best;
    }

    /** Why nothing can be compiled for a GPU of this compute capability, in one line; null if it can. */
    public static String problem(int computeCapability) {
        return best(computeCapability).isPresent()
                ? null
                : "NVRTC " + version() + " compiles for compute capabilities " + Arrays.toString(known())
                        + ", this GPU has " + computeCapability + ": use a CUDA version that supports it";
    }

    private static OptionalInt best(int computeCapability) {
        return Arrays.stream(known()).filter(arch -> arch <= computeCapability).max();
    }

    /** The compute capabilities that it compiles for. */
    private static int[] known() {
        int[] count = new int[1];
        checkNvrtc(nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
        int[] known = new int[count[0]];
        checkNvrtc(nvrtcGetSupportedArchs(known), "nvrtcGetSupportedArchs");
        return known;
    }

    /** Machine code for an architecture sm_NN; for compute_NN PTX, with the closing NUL that the driver wants. */
    static byte[] compile(KernelSource source, String architecture) {
        return compile(source.file(), source.text(), architecture);
    }

    /** @param more options of the compiler, beside those that all kernels need */
    static byte[] compile(String file, String text, String architecture, String... more) {
        try (var scope = Pointers.scope()) {
            var program = new _nvrtcProgram();
            var headers = KernelSource.headers(text);
            checkNvrtc(
                    nvrtcCreateProgram(
                            program,
                            new BytePointer(text),
                            new BytePointer(file),
                            headers.size(),
                            new PointerPointer<BytePointer>(headers.values().toArray(String[]::new)),
                            new PointerPointer<BytePointer>(headers.keySet().toArray(String[]::new))),
                    "nvrtcCreateProgram of " + file);
            try {
                var options = new ArrayList<>(OPTIONS);
                options.add("--gpu-architecture=" + architecture);
                options.addAll(List.of(more));
                int code = nvrtcCompileProgram(
                        program, options.size(), new PointerPointer<BytePointer>(options.toArray(String[]::new)));
                checkNvrtc(
                        code,
                        "nvrtcCompileProgram of " + file + " for " + architecture
                                + (code == 0 ? "" : " (" + log(program) + ")"));
                return image(program, architecture.startsWith("sm_"));
            } finally {
                nvrtcDestroyProgram(new PointerPointer<>(1).put(program));
            }
        }
    }

    private static String log(_nvrtcProgram program) {
        var size = new SizeTPointer(1);
        checkNvrtc(nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
        byte[] log = new byte[(int) size.get()];
        checkNvrtc(nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
        return new String(log, StandardCharsets.UTF_8).replace("\0", "").trim();
    }

    private static byte[] image(_nvrtcProgram program, boolean machineCode) {
        var size = new SizeTPointer(1);
        checkNvrtc(
                machineCode ? nvrtcGetCUBINSize(program, size) : nvrtcGetPTXSize(program, size),
                machineCode ? "nvrtcGetCUBINSize" : "nvrtcGetPTXSize");
        byte[] image = new byte[(int) size.get()];
        checkNvrtc(
                machineCode ? nvrtcGetCUBIN(program, image) : nvrtcGetPTX(program, image),
                machineCode ? "nvrtcGetCUBIN" : "nvrtcGetPTX");
        return image;
    }
}
